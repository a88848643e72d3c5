"""Have an LLM label, choose, doubt or judge."""

from typing import Annotated, Any

import typer

from app.cli.acting import actor
from app.cli.llm_options import Name, Provider, open_desk
from app.cli.output import AsJson, console, errors, friendly, print_json, print_table, progress
from app.core.llm.entities import Purpose
from app.core.llm.money import Estimate
from app.core.llm.permission import WEAK_CONFIDENCE
from app.llm import doubting, jobs, judging, labelling, selecting
from app.ports.llm import Job
from app.shown.llm import (
    AdoptedOut,
    CostEstimate,
    JobOut,
    JudgedOut,
    LabelledOut,
    LlmDoubtOut,
    SelectedOut,
)

RoundNumber = Annotated[
    int | None, typer.Option("--round", min=1, help="The items of this round's batch.")
]
OnlyEstimate = Annotated[
    bool, typer.Option("--estimate", help="Say what it would cost and ask nothing.")
]
Weak = Annotated[bool, typer.Option("--weak", help="As weak labels, for a start from nothing.")]


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
        _print_estimate(labelling.estimate_labels(open_desk(), name, **what), as_json=as_json)
        return
    if background:
        _print_begun(jobs.begin(open_desk(), name, **what, actor=actor()), name, as_json=as_json)
        return
    with progress("asked") as told:
        found = LabelledOut.of(labelling.label(open_desk(), name, **what, progress=told))
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
            open_desk(),
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
        found = selecting.estimate_select(open_desk(), name, size, provider=provider)
        _print_estimate(found, as_json=as_json)
        return
    chosen, names = selecting.select(open_desk(), name, size, provider=provider)
    shown = SelectedOut.of(chosen, list(names))
    if as_json:
        print_json(shown.model_dump())
        return
    for one in shown.items:
        console.print(one, markup=False, highlight=False)
    if shown.filled:
        errors.print(f"The last {shown.filled} were drawn at random: the LLM left them empty.")


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
        _print_estimate(doubting.estimate_doubt(open_desk(), name, **what), as_json=as_json)
        return
    with progress("asked") as told:
        found = [
            LlmDoubtOut.of(one) for one in doubting.doubt(open_desk(), name, **what, progress=told)
        ]
    if as_json:
        print_json({"items": [one.model_dump() for one in found]})
        return
    print_table(
        ["item", "label", "confidence", "share", "entropy"],
        [[one.item, one.label, one.confidence, one.share, one.entropy] for one in found],
        empty="There is no unlabelled item to ask about.",
    )


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
        _print_estimate(judging.estimate_judge(open_desk(), name, **what), as_json=as_json)
        return
    with progress("asked") as told:
        found = JudgedOut.of(judging.judge(open_desk(), name, **what, progress=told))
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


def _print_estimate(found: Estimate, *, as_json: bool) -> None:
    shown = CostEstimate.of(found)
    if as_json:
        print_json(shown.model_dump())
        return
    known = f"from {shown.known_from} earlier calls" if shown.known_from else "from lengths alone"
    console.print(
        f"{shown.calls:,} requests, about ${shown.middle:.4f} (${shown.low:.4f} to "
        f"${shown.high:.4f}), {known}. Nothing was asked."
    )
