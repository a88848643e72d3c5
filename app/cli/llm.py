"""LLMs in a project: which commands there are."""

import typer

from app.cli import llm_asking, llm_standing

program = typer.Typer(
    help="Have an LLM label, choose, doubt or judge; measure it; see its cost.",
    no_args_is_help=True,
)
COMMANDS = (
    llm_asking.label,
    llm_asking.adopt,
    llm_asking.select,
    llm_asking.doubt,
    llm_asking.judge,
    llm_standing.trust,
    llm_standing.jobs_,
    llm_standing.standing_,
    llm_standing.reopen,
    llm_standing.costs,
    llm_standing.providers,
)
for command in COMMANDS:
    program.command(command.__name__.strip("_"))(command)
