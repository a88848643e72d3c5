"""The audit log."""

from typing import Annotated

import typer

from app.bootstrap import build
from app.cli.output import AsJson, friendly, print_json, print_table
from app.settings import read_settings
from app.shown.actions import shown


@friendly
def actions(
    name: Annotated[str | None, typer.Argument(help="Of this project; without it, of all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: bool = AsJson,
) -> None:
    """Who did what, newest first."""
    with build(read_settings()).store.transaction() as tx:
        project_id = tx.projects.by_name(name).id if name else None
        found = shown(tx.events.actions(project_id, 0, limit)).items
    if as_json:
        print_json({"actions": [one.model_dump(mode="json") for one in found]})
        return
    print_table(
        ["when", "who", "did", "project"],
        [[f"{one.at:%Y-%m-%d %H:%M:%S}", one.by, one.did, one.project] for one in found],
        empty="Nobody has done anything yet.",
    )
