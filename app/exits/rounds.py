"""What happened, round by round: `results.tsv`, a file a batch, a file a round of answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.entities import Project
from app.exits.cells import tab_separated
from app.exits.files import OutFile, json_file
from app.exits.notes import notes_of, said
from app.ports.store import Page, Transaction

PAGE = 500
RESULTS = (
    "round",
    "state",
    "classifier_version",
    "chosen_by",
    "labelled",
    "pool",
    "batch_size",
    "selected",
    "answered",
    "strategy",
    "accuracy",
    "macro_f1",
    "ece",
    "held_out_items",
    "annotated_at",
    "created_at",
    "closed_at",
    "notes",
)
View = Mapping[str, Any]


def round_files(tx: Transaction, project: Project) -> Iterator[OutFile]:
    rounds = list(rounds_of(tx, project))
    yield OutFile("results.tsv", [tab_separated([RESULTS, *map(_result, rounds)])])
    yield OutFile("notes.md", [notes_of(project, tx.items.counts(project.id), rounds).encode()])
    for one in rounds:
        number = one["number"]
        yield json_file(f"selection_round_{number:02}.jsonl", _selections(tx, project, number))
        answers = tx.exits.annotations(project.id, number)
        yield json_file(f"annotation_round_{number:02}.jsonl", answers)


def rounds_of(tx: Transaction, project: Project) -> Iterator[View]:
    """Every round, oldest first."""
    after: int | None = 0
    while after is not None:
        page: Page = tx.views.rounds(project.id, after, PAGE)
        yield from page.items
        after = page.next


def _selections(tx: Transaction, project: Project, number: int) -> Iterator[View]:
    after: int | None = 0
    while after is not None:
        page: Page = tx.views.selections(project.id, number, after, PAGE)
        yield from page.items
        after = page.next


def _result(view: View) -> list[Any]:
    metrics, checkpoint, counts = view["metrics"] or {}, view["checkpoint"], view["counts"]
    row = {
        **view,
        "round": view["number"],
        "labelled": checkpoint.get("labelled"),
        "pool": checkpoint.get("unlabelled", checkpoint.get("pool")),
        "selected": counts["selected"],
        "answered": counts["answered"],
        "strategy": checkpoint.get("strategy_used", view["strategy"]),
        **{name: metrics.get(name) for name in ("accuracy", "macro_f1", "ece")},
        "held_out_items": metrics.get("n"),
        "annotated_at": view["annotate_url"],
        "notes": " ".join(said(view)),
    }
    return [row[name] for name in RESULTS]
