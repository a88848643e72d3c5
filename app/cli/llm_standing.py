"""What LLMs are worth and cost: trust, standing, long runs, the ledger."""

from typing import Annotated

import typer

from app.bootstrap import build
from app.cli.acting import actor
from app.cli.llm_options import Name, Provider, open_desk
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.core.errors import WrongInput
from app.llm import jobs, standing, trusting
from app.settings import read_settings
from app.shown import llm as shown_llm
from app.shown.llm import StandingOut, TrustOut


@friendly
def trust(name: Name, provider: Provider = None, as_json: bool = AsJson) -> None:
    """Whether its confidence may decide who labels: measured on items that people labelled."""
    found = TrustOut.of(trusting.trust(open_desk(), name, provider=provider))
    if as_json:
        print_json(found.model_dump())
        return
    if found.agreement is not None and found.strict_agreement is not None:
        console.print(
            f"{found.provider}/{found.model} agrees with people on {found.agreement:.1%} of "
            f"{found.items:,} items ({found.strict_agreement:.1%} letter by letter)."
        )
    may = "may" if found.as_it_says.may_route else "may not"
    console.print(f"Its confidence {may} decide who labels. {found.as_it_says.reason}")
    if found.recalibrated is not None:
        console.print(f"Recalibrated: {found.recalibrated.reason}")
    if found.as_it_says.calibration_error is None:
        console.print(f"Next: rounds llm label {name} --gold")


@friendly
def jobs_(
    name: Name,
    cancel: Annotated[int | None, typer.Option(min=1, help="End this one.")] = None,
    as_json: bool = AsJson,
) -> None:
    """Long runs that workers do, and how far they are; `label --background` begins one."""
    if cancel is not None:
        jobs.cancel(open_desk(), name, cancel, actor=actor())
    found = shown_llm.jobs_of(build(read_settings()).store, name)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_table(
        ["run", "purpose", "provider", "state", "done", "items", "answered", "$", "problem"],
        [
            [one.id, one.purpose, one.provider, one.state, one.done, one.items, one.answered,
             f"{one.cost:.4f}", one.problem]
            for one in found.items
        ],
        empty="There has been no long run in this project.",
    )  # fmt: skip


@friendly
def standing_(name: Name, provider: Provider = None, as_json: bool = AsJson) -> None:
    """How far people agree with what it labels in their place, and whether it may go on."""
    _print_standing(standing.standing(open_desk(), name, provider=provider), as_json=as_json)


@friendly
def reopen(name: Name, provider: Provider = None, as_json: bool = AsJson) -> None:
    """Let a suspended LLM label again; its audit begins anew."""
    found = standing.reopen(open_desk(), name, provider=provider, actor=actor())
    _print_standing(found, as_json=as_json)


def _print_standing(found: standing.Standing, *, as_json: bool) -> None:
    shown = StandingOut.of(found)
    if as_json:
        print_json(shown.model_dump(mode="json"))
        return
    source, window = f"{shown.provider}/{shown.model}", shown.window
    if window.agreement is None:
        console.print(f"No label that {source} could have given was audited yet.", markup=False)
    else:
        low, high = window.interval
        console.print(
            f"People agree with {source} on {window.agreement:.1%} of the last {window.items:,} "
            f"audited items (99% interval {low:.1%} to {high:.1%}).",
            markup=False,
        )
    if shown.suspended is not None:
        console.print(f"It is suspended: {shown.suspended.reason}", markup=False)
        console.print("When you have looked: rounds llm reopen PROJECT", markup=False)
    elif shown.drift is not None:
        console.print(f"It will be suspended before it labels again: {shown.drift}", markup=False)


@friendly
def costs(name: Name, as_json: bool = AsJson) -> None:
    """What LLMs have cost, by purpose."""
    found = shown_llm.costs(build(read_settings()).store, name)
    if as_json:
        print_json(found.model_dump())
        return
    print_table(
        ["purpose", "provider", "model", "calls", "answered", "tokens in", "out", "$", "$ each"],
        [
            [one.purpose, one.provider, one.model, one.calls, one.answered, one.tokens_in,
             one.tokens_out, f"{one.cost:.4f}",
             None if one.cost_an_answer is None else f"{one.cost_an_answer:.5f}"]
            for one in found.lines
        ],
        empty="No LLM has been asked in this project.",
    )  # fmt: skip
    console.print(f"${found.spent:.4f} of ${found.max_cost:.2f} spent or set aside.")


@friendly
def providers(as_json: bool = AsJson) -> None:
    """Which providers this server's settings name; their keys are not looked at."""
    names = list(open_desk().providers.names())
    if as_json:
        print_json({"providers": names})
        return
    for name in names:
        console.print(name, markup=False)
    if not names:
        raise WrongInput("ROUNDS_LLM_PROVIDERS names no provider; docs/llm.md says how.")
