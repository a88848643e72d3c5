"""Projects that shall go, and those that shall come back."""

from typing import Annotated

import typer

from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json
from app.cli.projects import Name
from app.ports.store import Store
from app.rounds import deleting
from app.settings import read_settings
from app.shown import projects as shown_projects


@friendly
def delete(
    name: Name,
    confirm: Annotated[
        str | None, typer.Option(help="The name once more; asked for if it is left out.")
    ] = None,
    days: Annotated[float, typer.Option(help="Until then it can be restored.")] = (
        deleting.DAYS_OF_GRACE
    ),
    with_argilla: Annotated[
        bool, typer.Option("--with-argilla", help="Erase its datasets in Argilla too.")
    ] = False,
    as_json: bool = AsJson,
) -> None:
    """Delete a project, after days of grace."""
    store = build(read_settings()).store
    if confirm is None:
        with store.transaction() as tx:
            tx.projects.by_name(name)
        confirm = typer.prompt(f"Everything of {name} will be erased. Type its name to confirm")
    deleting.delete_project(
        store, name, confirmed=confirm, actor=actor(), days=days, with_argilla=with_argilla
    )
    _say(store, name, f"{name} will be erased in {days:g} days. `rounds restore {name}` takes it "
         "back until then.", as_json=as_json)  # fmt: skip


@friendly
def restore(name: Name, as_json: bool = AsJson) -> None:
    """Take a deletion back; the project is paused then."""
    store = build(read_settings()).store
    deleting.restore_project(store, name, actor=actor())
    _say(store, name, f"{name} is back, and paused. Next: rounds set {name} state=active",
         as_json=as_json)  # fmt: skip


def _say(store: Store, name: str, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(shown_projects.read(store, name).model_dump(mode="json"))
    else:
        console.print(sentence)
