"""LLMs in a project."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.api import llm as api_llm
from app.api.llm_shapes import (
    AdoptedOut,
    DoubtOut,
    EstimateOut,
    JobOut,
    JudgedOut,
    LabelledOut,
    SelectedOut,
    StandingOut,
    TrustOut,
)
from app.bootstrap import build
from app.cli.acting import actor
from app.cli.output import AsJson, console, errors, friendly, print_json, print_table
from app.core.errors import WrongInput
from app.core.llm.entities import Purpose
from app.core.llm.money import Estimate
from app.core.llm.permission import WEAK_CONFIDENCE
from app.llm import doubting, jobs, judging, labelling, selecting, standing, trusting
from app.llm.asking import Progress as Told
from app.llm.desk import Desk
from app.ports.llm import Job
from app.settings import read_settings

program = typer.Typer(
    help="Have an LLM label, choose, doubt or judge; measure it; see its cost.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="The project's name.")]
Provider = Annotated[
    str | None, typer.Option(help="Whom to ask.", show_default="the project's llm.provider")
]
RoundNumber = Annotated[
    int | None, typer.Option("--round", min=1, help="The items of this round's batch.")
]
OnlyEstimate = Annotated[
    bool, typer.Option("--estimate", help="Say what it would cost and ask nothing.")
]
Weak = Annotated[bool, typer.Option("--weak", help="As weak labels, for a start from nothing.")]


def _desk() -> Desk:
    return build(read_settings()).desk


@program.command()
@friendly
def label(
    name: Name,
    provider: Provider = None,
    round_number: RoundNumber = None,
    gold: Annotated[
        bool, typer.Option("--gold", help="Items that people labelled, to measure trust.")
    ] = False,
    weak: Weak = False,
    limit: Annotated[int, typer.Option(min=1, help="Items at most.")] = 1_000,
    estimate: OnlyEstimate = False,
    background: Annotated[
        bool, typer.Option("--background", help="Let the workers do it; see `rounds llm jobs`.")
    ] = False,
    as_json: bool = AsJson,
) -> None:
    """Have unlabelled items labelled, or those of a round. A repeat asks for what is missing."""
    what: dict[str, Any] = {
        "purpose": _purpose(weak),
        "provider": provider,
        "round_number": round_number,
        "gold": gold,
        "limit": limit,
    }
    if estimate:
        _print_estimate(labelling.estimate_labels(_desk(), name, **what), as_json=as_json)
        return
    if background:
        _print_begun(jobs.begin(_desk(), name, **what, actor=actor()), name, as_json=as_json)
        return
    with _progress() as told:
        found = LabelledOut.of(labelling.label(_desk(), name, **what, progress=told))
    if as_json:
        print_json(found.model_dump())
        return
    console.print(
        f"{found.answered:,} of {found.items:,} items answered, {found.asked:,} asked now, "
        f"${found.cost:.4f}."
    )
    for reason, count in found.reasons.items():
        console.print(f"  {count:,} unanswered: {reason}", markup=False)
    if not gold:
        console.print(f"Next: rounds llm adopt {name}{' --weak' if weak else ''}")


def _print_begun(job: Job, name: str, *, as_json: bool) -> None:
    if as_json:
        print_json(JobOut.of(job).model_dump(mode="json"))
        return
    console.print(
        f"Long run {job.id} begun: {len(job.item_ids):,} items, worked on by the workers. "
        f"See: rounds llm jobs {name}"
    )


def _purpose(weak: bool) -> Purpose:
    return Purpose.WEAK_LABELS if weak else Purpose.LABEL


@program.command()
@friendly
def adopt(
    name: Name,
    provider: Provider = None,
    weak: Weak = False,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Leave less sure ones to people.", show_default="0, with --weak 0.85"
        ),
    ] = None,
    as_json: bool = AsJson,
) -> None:
    """Let its answers be labels of items that have none, signed as its own."""
    default = WEAK_CONFIDENCE if weak else 0.0
    found = AdoptedOut.of(
        labelling.adopt(
            _desk(),
            name,
            purpose=_purpose(weak),
            provider=provider,
            min_confidence=default if min_confidence is None else min_confidence,
            actor=actor(),
        )
    )
    if as_json:
        print_json(found.model_dump())
        return
    console.print(
        f"{found.labels:,} of {found.answers:,} answers became labels; "
        f"{found.left_to_people:,} are left to people."
    )


@program.command()
@friendly
def select(
    name: Name,
    size: Annotated[int, typer.Option(min=1, help="How many items.")] = selecting.PICKS_A_PROMPT,
    provider: Provider = None,
    estimate: OnlyEstimate = False,
    as_json: bool = AsJson,
) -> None:
    """Have unlabelled items chosen for labelling; no label and no classifier is needed."""
    if estimate:
        found = selecting.estimate_select(_desk(), name, size, provider=provider)
        _print_estimate(found, as_json=as_json)
        return
    chosen, names = selecting.select(_desk(), name, size, provider=provider)
    shown = SelectedOut.of(chosen, list(names))
    if as_json:
        print_json(shown.model_dump())
        return
    for one in shown.items:
        console.print(one, markup=False, highlight=False)
    if shown.filled:
        errors.print(f"The last {shown.filled} were drawn at random: the LLM left them empty.")


@program.command()
@friendly
def doubt(
    name: Name,
    provider: Provider = None,
    round_number: RoundNumber = None,
    limit: Annotated[int, typer.Option(min=1, help="Items at most.")] = 100,
    samples: Annotated[
        int, typer.Option(min=1, max=20, help="How often each item is asked about.")
    ] = doubting.SAMPLES,
    estimate: OnlyEstimate = False,
    as_json: bool = AsJson,
) -> None:
    """How sure it is of items: what it says, and whether it says the same again."""
    what: dict[str, Any] = {
        "provider": provider,
        "round_number": round_number,
        "limit": limit,
        "samples": samples,
    }
    if estimate:
        _print_estimate(doubting.estimate_doubt(_desk(), name, **what), as_json=as_json)
        return
    with _progress() as told:
        found = [DoubtOut.of(one) for one in doubting.doubt(_desk(), name, **what, progress=told)]
    if as_json:
        print_json({"items": [one.model_dump() for one in found]})
        return
    print_table(
        ["item", "label", "confidence", "share", "entropy"],
        [[one.item, one.label, one.confidence, one.share, one.entropy] for one in found],
        empty="There is no unlabelled item to ask about.",
    )


@program.command()
@friendly
def judge(
    name: Name,
    provider: Provider = None,
    round_number: RoundNumber = None,
    limit: Annotated[int, typer.Option(min=1, help="Items at most.")] = 1_000,
    estimate: OnlyEstimate = False,
    as_json: bool = AsJson,
) -> None:
    """Where an LLM as second reader disagrees with people and with the classifier."""
    what: dict[str, Any] = {"provider": provider, "round_number": round_number, "limit": limit}
    if estimate:
        _print_estimate(judging.estimate_judge(_desk(), name, **what), as_json=as_json)
        return
    with _progress() as told:
        found = JudgedOut.of(judging.judge(_desk(), name, **what, progress=told))
    if as_json:
        print_json(found.model_dump())
        return
    for pair, figures in found.judged.items():
        if figures["items"]:
            words = pair.replace("_", " ")
            console.print(f"judged: {words} agree on {figures['agreement']:.1%} of "
                          f"{figures['items']:,} items")  # fmt: skip
    print_table(
        ["item", "judge", "person", "classifier", "why"],
        [[one.item, one.judge, one.person, one.classifier, one.rationale]
         for one in found.disagreements],
        empty="No disagreement.",
    )  # fmt: skip


@program.command()
@friendly
def trust(name: Name, provider: Provider = None, as_json: bool = AsJson) -> None:
    """Whether its confidence may decide who labels: measured on items that people labelled."""
    found = TrustOut.of(trusting.trust(_desk(), name, provider=provider))
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


@program.command("jobs")
@friendly
def jobs_(
    name: Name,
    cancel: Annotated[int | None, typer.Option(min=1, help="End this one.")] = None,
    as_json: bool = AsJson,
) -> None:
    """Long runs that workers do, and how far they are; `label --background` begins one."""
    if cancel is not None:
        jobs.cancel(_desk(), name, cancel, actor=actor())
    found = api_llm.jobs_of(build(read_settings()).store, name)
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


@program.command("standing")
@friendly
def standing_(name: Name, provider: Provider = None, as_json: bool = AsJson) -> None:
    """How far people agree with what it labels in their place, and whether it may go on."""
    _print_standing(standing.standing(_desk(), name, provider=provider), as_json=as_json)


@program.command()
@friendly
def reopen(name: Name, provider: Provider = None, as_json: bool = AsJson) -> None:
    """Let a suspended LLM label again; its audit begins anew."""
    found = standing.reopen(_desk(), name, provider=provider, actor=actor())
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


@program.command()
@friendly
def costs(name: Name, as_json: bool = AsJson) -> None:
    """What LLMs have cost, by purpose."""
    found = api_llm.costs(build(read_settings()).store, name)
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


@program.command()
@friendly
def providers(as_json: bool = AsJson) -> None:
    """Which providers this server's settings name; their keys are not looked at."""
    names = list(_desk().providers.names())
    if as_json:
        print_json({"providers": names})
        return
    for name in names:
        console.print(name, markup=False)
    if not names:
        raise WrongInput("ROUNDS_LLM_PROVIDERS names no provider; docs/llm.md says how.")


def _print_estimate(found: Estimate, *, as_json: bool) -> None:
    shown = EstimateOut.of(found)
    if as_json:
        print_json(shown.model_dump())
        return
    known = f"from {shown.known_from} earlier calls" if shown.known_from else "from lengths alone"
    console.print(
        f"{shown.calls:,} requests, about ${shown.middle:.4f} (${shown.low:.4f} to "
        f"${shown.high:.4f}), {known}. Nothing was asked."
    )


@contextmanager
def _progress() -> Iterator[Told]:
    """Items done; on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=errors, transient=True,
        disable=not errors.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("asked", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
