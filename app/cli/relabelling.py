"""Labels that turn out to be the wrong ones."""

from collections.abc import Sequence
from typing import Annotated

import typer

from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json
from app.cli.projects import Name
from app.core.entities import Project
from app.core.errors import WrongInput
from app.core.tasks.editing import Mapped, by_words
from app.ports.store import Store
from app.rounds import foreseeing, relabelling, sentences
from app.settings import read_settings
from app.shown import projects as shown_projects
from app.shown.projects import ForeseenOut

Edits = list[str] | None


@friendly
def relabel(
    name: Name,
    rename: Annotated[
        Edits, typer.Option(help="old=new. Two that become one are merged. Repeatable.")
    ] = None,
    split: Annotated[
        Edits, typer.Option(help="old=one,two: its items are looked at again. Repeatable.")
    ] = None,
    add: Annotated[Edits, typer.Option(help="A new label. Repeatable.")] = None,
    drop: Annotated[Edits, typer.Option(help="Its items are looked at again. Repeatable.")] = None,
    in_flight: Annotated[
        bool,
        typer.Option("--in-flight", help="Finish an open round first, with the answers there are."),
    ] = False,
    expected: Annotated[
        str | None,
        typer.Option(help="The fingerprint that --dry-run gave: do that, or nothing."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: bool = AsJson,
) -> None:
    """Rename, merge, split, add or drop labels; finished work is carried over."""
    store = build(read_settings()).store
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
    labels, mapping = by_words(
        project.task,
        rename=[_pair("rename", one) for one in rename or ()],
        split=[(old, new.split(",")) for old, new in (_pair("split", one) for one in split or ())],
        drop=drop or (),
        add=add or (),
    )
    if dry_run:
        _say_what_would(store, project, labels, mapping, as_json=as_json)
        return
    edit = relabelling.edit_in_flight if in_flight else relabelling.edit_labels
    project = edit(store, name, labels, mapping, actor=actor(), expected=expected)
    if as_json:
        print_json(shown_projects.read(store, name).model_dump(mode="json"))
        return
    if project.label_edit is not None:
        console.print(f"The open round is finished first. Then they are: {', '.join(labels)}.")
        return
    console.print(f"The labels are now: {', '.join(project.task.labels)}.")
    console.print(f"The next round sends its batch to a new dataset. Next: rounds start {name}")


def _say_what_would(
    store: Store, project: Project, labels: Sequence[str], mapping: Mapped, *, as_json: bool
) -> None:
    with store.transaction() as tx:
        foreseen = foreseeing.foreseen(tx, project, labels, mapping)
    if as_json:
        print_json(ForeseenOut.of(foreseen).model_dump())
    else:
        console.print(sentences.of_foreseen(foreseen))
        console.print(f"The labels would be: {', '.join(foreseen.labels)}.")
        console.print(f"To have that done or nothing, add --expected {foreseen.fingerprint}")


def _pair(option: str, given: str) -> tuple[str, str]:
    old, equals, new = given.partition("=")
    if not equals or not old or not new:
        raise WrongInput(f"--{option} {given!r} must be old=new.", field=option)
    return old, new
