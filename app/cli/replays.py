"""An old round made again."""

from typing import Annotated

import typer

from app.bootstrap import build
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.rounds.replaying import Replay
from app.rounds.replaying import replay as make_again
from app.settings import read_settings


@friendly
def replay(
    number: Annotated[int, typer.Argument(help="The round.", min=1)],
    project: Annotated[str, typer.Option("--project", "-p", help="The project's name.")],
    as_json: bool = AsJson,
) -> None:
    """Make a round again from the records: the same classifier and batch? Exit code 1 if not."""
    made = make_again(build(read_settings()).parts, project, number)
    if as_json:
        print_json(made.as_json())
    else:
        _print(made)
    if not made.same:
        raise typer.Exit(1)


def _print(made: Replay) -> None:
    print_table(
        ["made again", "same", ""],
        [[one.what, "yes" if one.same else "NO", one.message] for one in made.checks],
        empty="",
    )
    for name, (then, now) in made.libraries.items():
        console.print(f"{name} was {then or 'absent'} then and is {now or 'absent'} now.")
    if not made.same and not made.libraries:
        console.print("No library has changed since. Please report it.")
    verdict = "comes out the same, byte for byte" if made.same else "does not come out the same"
    console.print(f"Round {made.number} {verdict}.", style="bold")
