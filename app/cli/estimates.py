"""Figures with their intervals, what labels cost, and which of them are doubted."""

from typing import Annotated, Any

import typer

from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.cli.projects import Name
from app.ports.store import Store
from app.rounds import commands
from app.settings import read_settings
from app.shown import estimates as shown_estimates
from app.shown import rounds as shown_rounds


def _store() -> Store:
    return build(read_settings()).store


@friendly
def estimates(name: Name, as_json: bool = AsJson) -> None:
    """Accuracy from random checks and the gain of more labels, or why they cannot be said."""
    found = shown_estimates.estimates(_store(), name)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    console.print(found.accuracy.said, style="bold")
    console.print(found.forecast.half.said)
    if found.forecast.twice.said != found.forecast.half.said:
        console.print(found.forecast.twice.said)
    if found.fresh_audit:
        console.print(found.fresh_audit.said)
    console.print(found.duel.said)
    if found.duel.pooled.projects:
        console.print(found.duel.pooled.said)
    if found.waiting:
        console.print(f"Closed rounds that a worker is still to measure: {found.waiting}.")


@friendly
def ledger(name: Name, as_json: bool = AsJson) -> None:
    """What labels have cost in minutes and dollars, and what half as many again would."""
    found = shown_estimates.ledger_of(_store(), name)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    console.print(
        f"{found.labels:,} labels took {found.minutes:,.0f} minutes of work and "
        f"${found.dollars.total:,.2f} (people ${found.dollars.people:,.2f}, LLMs "
        f"${found.dollars.llm:,.2f}).",
        style="bold",
    )
    print_table(
        ["of", "minutes", "dollars", ""],
        [
            _price("a label", found.per_label),
            _price("a point of accuracy", found.per_point),
            *([_price(f"the next {found.next_half.labels:,} labels", found.next_half)]
              if found.next_half else []),
        ],
        empty="",
    )  # fmt: skip
    console.print(found.gain.said)


@friendly
def compare(
    name: Name,
    first: Annotated[int, typer.Argument(help="Number of a round.")],
    second: Annotated[int, typer.Argument(help="Number of another.")],
    as_json: bool = AsJson,
) -> None:
    """Whether one round's classifier is better than another's, item by item on what is held out."""
    found = shown_estimates.compared(_store(), name, first, second)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        console.print(found.said)


@friendly
def audit(
    name: Name,
    size: Annotated[int | None, typer.Option(help="Items to draw; 100 if not given.")] = None,
    as_json: bool = AsJson,
) -> None:
    """Draw random items for an exact figure of the accuracy of the classifier of now."""
    store = _store()
    round_ = commands.start_audit(store, name, size, actor=actor())
    _started(store, name, round_.number, as_json=as_json)


@friendly
def duel(name: Name, as_json: bool = AsJson) -> None:
    """Ask, once, whether choosing beats random picks, with about 40 labels."""
    store = _store()
    round_ = commands.start_duel(store, name, actor=actor())
    _started(store, name, round_.number, as_json=as_json)


def _started(store: Store, name: str, number: int, *, as_json: bool) -> None:
    if as_json:
        print_json(shown_rounds.read(store, name, number).model_dump(mode="json"))
        return
    console.print(
        f"Round {number} is planned. When it is closed and measured, `rounds estimates {name}` "
        "tells what came of it."
    )


def _price(of: str, one: Any) -> list[Any]:
    return [of, one.minutes, one.dollars, getattr(one, "reason", None) or ""]


@friendly
def doubts(
    name: Name,
    relabel: Annotated[
        bool, typer.Option("--relabel", help="Have them decided again in Argilla.")
    ] = False,
    item: Annotated[
        list[str] | None, typer.Option(help="With --relabel: only this one; may be repeated.")
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """Labels that a classifier contradicts which has not seen them, the clearest first."""
    store = _store()
    if relabel:
        round_ = commands.relabel_doubts(store, name, item or None, actor=actor())
        _started(store, name, round_.number, as_json=as_json)
        return
    found = shown_estimates.doubts(store, name)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    console.print(found.said, style="bold")
    print_table(
        ["item", "label", "its probability", "believed", "its probability", "from"],
        [
            [one.item, one.label, one.label_probability, one.believed, one.believed_probability,
             one.source]
            for one in found.doubts
        ],
        empty="No label is doubted.",
    )  # fmt: skip
