"""Which commands there are."""

from collections.abc import Callable

import typer

from app.cli import (
    actions,
    annotators,
    deleting,
    estimates,
    exits,
    keys,
    llm,
    projects,
    relabelling,
    replays,
    rounds,
    service,
    simulate,
    starting,
)

HELP = "From an unlabelled pile of text to a trained classifier, with few human labels."

program = typer.Typer(
    name="rounds", help=HELP, no_args_is_help=True, pretty_exceptions_enable=False
)
PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Run": (service.up, service.down, service.demo, service.doctor),
    "Project": (
        starting.init,
        projects.import_,
        projects.set_,
        projects.refit,
        projects.status,
        relabelling.relabel,
        actions.actions,
        deleting.delete,
        deleting.restore,
    ),
    "Rounds": (
        rounds.start,
        rounds.watch,
        rounds.finish,
        rounds.cancel,
        rounds.resume,
        rounds.selections,
        rounds.labels,
        rounds.metrics,
        estimates.estimates,
        estimates.compare,
        estimates.audit,
        estimates.duel,
        estimates.ledger,
        estimates.doubts,
        annotators.annotators,
        replays.replay,
    ),
    "Exits": (exits.export, exits.export_bundle, exits.import_bundle, exits.predict),
    "Experiments": (simulate.simulate, simulate.bench),
    "Services": (service.serve, service.worker, service.migrate),
}
for panel, commands in PANELS.items():
    for command in commands:
        called = command.__name__.strip("_").replace("_", "-")
        program.command(called, rich_help_panel=panel)(command)
program.add_typer(llm.program, name="llm", rich_help_panel="Rounds")
program.add_typer(keys.program, name="keys", rich_help_panel="Services")


def main() -> None:
    program()
