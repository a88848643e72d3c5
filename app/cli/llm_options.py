"""What commands about LLMs have in common."""

from typing import Annotated

import typer

from app.bootstrap import build
from app.llm.desk import Desk
from app.settings import read_settings

Name = Annotated[str, typer.Argument(help="The project's name.")]
Provider = Annotated[
    str | None, typer.Option(help="Whom to ask.", show_default="the project's llm.provider")
]


def open_desk() -> Desk:
    return build(read_settings()).desk
