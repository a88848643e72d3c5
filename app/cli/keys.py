"""API keys."""

from typing import Annotated

import typer

from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.rounds import api_keys
from app.settings import read_settings

program = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


@program.command()
@friendly
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, such as `ci` or `anna`.")],
    role: Annotated[
        str, typer.Option(help="viewer reads, operator runs rounds, admin does everything.")
    ] = "operator",
    as_json: bool = AsJson,
) -> None:
    """Make a key. It is shown once and kept nowhere."""
    key, plain = api_keys.create_key(build(read_settings()).store, name, role, actor=actor())
    if as_json:
        print_json({"name": key.name, "role": key.role.value, "key": plain})
    else:
        console.print(f"Key for {key.name} ({key.role.value}), shown only now:")
        console.print(plain, style="bold", soft_wrap=True)


@program.command("list")
@friendly
def list_(as_json: bool = AsJson) -> None:
    """Which keys there are; never the keys themselves."""
    with build(read_settings()).store.transaction() as tx:
        keys = tx.keys.all()
    rows = [
        {
            "name": key.name,
            "role": key.role.value,
            "begins_with": key.prefix,
            "created_at": key.created_at,
            "last_used_at": key.last_used_at,
            "revoked_at": key.revoked_at,
        }
        for key in keys
    ]
    if as_json:
        print_json({"keys": rows})
    else:
        print_table(
            ["name", "role", "begins with", "created", "last used", "revoked"],
            [list(row.values()) for row in rows],
            empty="There are no keys. Make one with `rounds keys create NAME`.",
        )


@program.command()
@friendly
def revoke(name: str) -> None:
    """Make a key useless from now on."""
    api_keys.revoke_key(build(read_settings()).store, name, actor=actor())
    console.print(f"Revoked {name}.")
