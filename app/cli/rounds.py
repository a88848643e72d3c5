"""Rounds: start, watch, end, read."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.cli.projects import Name
from app.core.errors import NotFound, RoundsError
from app.ports.store import Page, Store, Transaction
from app.rounds import commands, sentences
from app.settings import read_settings
from app.shown import rounds as shown_rounds

Number = Annotated[int | None, typer.Argument(help="The round; the newest if left out.")]


def _store() -> Store:
    return build(read_settings()).store


def _number(store: Store, name: str, number: int | None) -> int:
    if number is not None:
        return number
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        rounds = tx.rounds.all(project.id)
    if not rounds:
        raise NotFound(f"{name} has no rounds yet. Start one with `rounds start {name}`.")
    return rounds[-1].number


def _round(store: Store, name: str, number: int) -> dict[str, Any]:
    return shown_rounds.read(store, name, number).model_dump(mode="json")


@friendly
def start(
    name: Name,
    follow: Annotated[bool, typer.Option("--watch", help="Stay and tell what happens.")] = False,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto", help="Rounds follow each other until a stopping rule of the project holds."
        ),
    ] = False,
    as_json: bool = AsJson,
) -> None:
    """Start the next round."""
    store = _store()
    round_ = commands.start_round(store, name, actor=actor(), auto=auto)
    if as_json:
        print_json(_round(store, name, round_.number))
        return
    console.print(f"Round {round_.number} started: {round_.batch_size} items.")
    if auto:
        console.print(_run_sentence(store, name))
    if follow:
        _follow(store, name, round_.number)
    else:
        console.print(f"Next: rounds watch {name}")


def _run_sentence(store: Store, name: str) -> str:
    with store.transaction() as tx:
        return sentences.of_run(tx.projects.by_name(name)) or ""


@friendly
def watch(name: Name, number: Number = None) -> None:
    """Tell what happens in a round until it is over."""
    store = _store()
    _follow(store, name, _number(store, name, number))


def _follow(store: Store, name: str, number: int) -> None:
    """Print a line whenever the round's state or answers change."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
    said = ""
    while True:
        now = _round(store, name, number)
        line = sentences.of_round(now)
        if line != said:
            console.print(line)
            said = line
            if now["state"] == "annotating":
                console.print(f"  Annotate here: {now['argilla']['annotate_url']}", soft_wrap=True)
        if now["closed_at"] is not None:
            return
        if now["state"] == "failed":
            raise RoundsError(
                f"`rounds resume {name}` tries again, `rounds cancel {name}` ends it."
            )
        store.wait_for_event(project.id, 2.0)


def _ask(
    command: Callable[..., Any], name: str, number: int | None, done: str, *, as_json: bool
) -> None:
    store = _store()
    number = _number(store, name, number)
    command(store, name, number, actor=actor())
    if as_json:
        print_json(_round(store, name, number))
    else:
        console.print(f"Round {number}: {done}")


@friendly
def finish(name: Name, number: Number = None, as_json: bool = AsJson) -> None:
    """Close a round with the answers there are; the rest of its batch returns to the pool."""
    _ask(commands.finish_round, name, number, "will close with the answers there are.",
         as_json=as_json)  # fmt: skip


@friendly
def cancel(name: Name, number: Number = None, as_json: bool = AsJson) -> None:
    """End a round; answers already given are kept as labels."""
    _ask(commands.cancel_round, name, number, "will be cancelled; its answers are kept.",
         as_json=as_json)  # fmt: skip


@friendly
def resume(name: Name, number: Number = None, as_json: bool = AsJson) -> None:
    """Take up a failed round at the step that failed."""
    _ask(commands.resume_round, name, number, "goes on where it failed.", as_json=as_json)


@friendly
def selections(name: Name, number: Number = None, as_json: bool = AsJson) -> None:
    """What a round chose, why, and what became of it."""
    store = _store()
    number = _number(store, name, number)
    with store.transaction() as tx:
        project = tx.projects.by_name(name)

    def read(tx: Transaction, after: int) -> Page:
        return tx.views.selections(project.id, number, after, 500)

    rows = list(_pages(store, read))
    if as_json:
        print_json({"items": rows})
        return
    print_table(
        ["rank", "item", "slice", "predicted", "reason", "label", "by"],
        [
            [
                one["rank"],
                one["item"],
                one["slice"],
                one["prediction"],
                one["reason"],
                one["label"] or _where_it_waits(one),
                ", ".join(one["annotators"] or []),
            ]
            for one in rows
        ],
        empty="Nothing was selected yet.",
    )


def _where_it_waits(selection: Mapping[str, Any]) -> str | None:
    later = selection["handed_on_to"]
    return f"(waits in round {later})" if later and selection["push_state"] == "pushed" else None


@friendly
def labels(
    name: Name,
    held_out: Annotated[bool, typer.Option(help="Those of held-out items too.")] = False,
    as_json: bool = AsJson,
) -> None:
    """Current labels, each with where it came from."""
    rows = [one for one in _labels(_store(), name) if held_out or one["split"] == "pool"]
    if as_json:
        print_json({"items": rows})
        return
    print_table(
        ["item", "label", "source", "round", "by", "reason"],
        [
            [
                one["item"],
                one["value"],
                one["source"],
                one["round"],
                ", ".join(one["annotators"]),
                one["reason"],
            ]
            for one in rows
        ],
        empty="No labels yet.",
    )


@friendly
def metrics(name: Name, as_json: bool = AsJson) -> None:
    """The learning curve: what each round measured."""
    store = _store()
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        rows = [dict(one) for one in tx.views.metrics(project.id)]
    if as_json:
        print_json({"items": rows})
        return
    print_table(
        ["round", "labels", "classifier", "n", "accuracy", "macro F1", "log loss", "ECE"],
        [
            [one["round"], one["labels"], one["classifier_version"]]
            + [one["metrics"].get(key) for key in ("n", "accuracy", "macro_f1", "log_loss", "ece")]
            for one in rows
        ],
        empty="Nothing measured yet. A round measures when it closes, on labelled rows imported "
        "with split=test.",
    )


def _labels(store: Store, name: str) -> Iterator[dict[str, Any]]:
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
    return _pages(store, lambda tx, after: tx.views.labels(project.id, after, 1000))


def _pages(store: Store, read: Callable[[Transaction, int], Page]) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    while after is not None:
        with store.transaction() as tx:
            page: Page = read(tx, after)
        yield from map(_plain, page.items)
        after = page.next


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row)
