"""What an LLM labels of a batch, before the rest of it goes to people.

Every answer is kept when it arrives, so a step that dies asks only for what is missing. Only when
all that can be answered is, the batch is divided, at once and for good: labels of the LLM, and
items for people.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.entities import NewLabel, SelectedItem
from app.core.errors import BudgetSpent, NotAllowed
from app.core.llm.entities import Purpose
from app.core.llm.permission import LlmSettings
from app.core.llm.routing import Candidate, LabelledBy, Route, Rule, Who, Why, divide
from app.llm import standing, trusting
from app.llm.desk import Sitting
from app.llm.labelling import answers_to, questions, reader
from app.ports.llm import NewRoute, Said
from app.ports.store import Transaction
from app.rounds.identity import derived_seed
from app.rounds.work import Outcome, Work

DIVIDED = "llm"
"""In the checkpoint: the batch is divided."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is asked, and what may become of the answers."""

    sitting: Sitting
    rule: Rule
    asks: bool = True
    reason: str | None = None
    """Why it may label nothing."""
    read: Callable[[float], float] = float

    def closed(self, why: Why, reason: str, *, asks: bool = False) -> "Plan":
        return replace(self, rule=replace(self.rule, closed=why), reason=reason, asks=asks)


def is_due(work: Work) -> bool:
    settings = work.round.settings.llm
    takes_part = settings.labelled_by != LabelledBy.HUMANS or _is_weak(work)
    if work.round.purpose != "learning":
        return False  # what measures is labelled by people
    return takes_part and DIVIDED not in work.round.checkpoint


def divide_batch(work: Work) -> Outcome:
    """Ask about every item of the batch, then say who labels it."""
    with work.store.transaction() as tx:
        batch = tx.selections.of_round(work.round.id, "planned")
        free = tx.llm_answers.unlabelled(work.project.id, [one.item.id for one in batch])
    plan = _plan(work)
    said, problem = _ask(work, plan, batch) if plan.asks else ({}, Why.UNANSWERED)
    chance = np.random.default_rng(derived_seed(work.round.seed, "standing audit"))
    routes = divide(
        [_candidate(one, said, plan, problem, free) for one in batch], plan.rule, chance
    )
    told = {
        "source": plan.sitting.source,
        "reason": plan.reason,
        "llm": sum(one.who is Who.LLM for one in routes),
        "why": dict(Counter(one.why.value for one in routes)),
    }
    return Outcome(
        None,
        save=lambda tx: _save(tx, work, plan, routes, said, told),
        checkpoint={DIVIDED: told},
    )


def report(work: Work) -> Mapping[str, object]:
    """For the round's record of the step."""
    told = work.round.checkpoint.get(DIVIDED)
    return {"llm": told} if told else {}


# --- what may become of its answers ---


def _is_weak(work: Work) -> bool:
    """A start from nothing, in which it labels what it is sure of."""
    settings = work.round.settings.llm
    cold = work.round.classifier_id is None
    return cold and settings.weak_start and settings.labelled_by != LabelledBy.LLM


def _plan(work: Work) -> Plan:
    purpose = Purpose.WEAK_LABELS if _is_weak(work) else Purpose.LABEL
    asked = work.round.settings.llm
    provider = work.desk.provider(work.project, asked.provider)
    sitting = Sitting(work.store, provider, work.project, purpose, work.round.id)
    plan = Plan(sitting, _rule(asked, purpose))
    try:
        work.project.settings.llm.insist(purpose)  # as of now: it may have been taken back
    except NotAllowed as refused:
        return plan.closed(Why.NOT_ALLOWED, refused.message)
    if suspension := standing.watch(replace(sitting, purpose=Purpose.LABEL)):
        told = f"{sitting.source} is suspended: {suspension.reason}"
        return plan.closed(Why.SUSPENDED, told)
    by_confidence = asked.labelled_by == LabelledBy.LLM_THEN_HUMANS
    return _if_trusted(plan) if by_confidence and purpose is Purpose.LABEL else plan


def _rule(asked: LlmSettings, purpose: Purpose) -> Rule:
    if purpose is Purpose.WEAK_LABELS:
        return Rule(Why.WEAK, asked.weak_confidence, asked.audit_share)
    if asked.labelled_by == LabelledBy.LLM_THEN_HUMANS:
        return Rule(Why.SURE, asked.min_confidence, asked.audit_share)
    beside = Why.COMPARISON if asked.labelled_by == LabelledBy.BOTH else None
    return Rule(Why.ANSWERED, 0.0, asked.audit_share, beside)


def _if_trusted(plan: Plan) -> Plan:
    """Until its confidence was measured, it is asked beside people: that is what measures it."""
    gauge = trusting.gauge(plan.sitting)
    if gauge.trust.may_route:
        return replace(plan, read=gauge.read)
    told = f"Its confidence may not decide who labels yet. {gauge.trust.reason}"
    return plan.closed(Why.UNTRUSTED, told, asks=True)


# --- asking ---


def _ask(work: Work, plan: Plan, batch: Sequence[SelectedItem]) -> tuple[Mapping[int, Said], Why]:
    """Answers by item, and why others have none. A cap that is reached ends the asking."""
    sitting, problem = plan.sitting, Why.UNANSWERED
    asked = questions(sitting, [one.item.id for one in batch])
    try:
        sitting.asker(reader(sitting), check=work.check).ask(asked)
    except BudgetSpent:
        problem = Why.BUDGET
    return answers_to(sitting, asked), problem


def _candidate(
    one: SelectedItem,
    said: Mapping[int, Said],
    plan: Plan,
    problem: Why,
    free: Mapping[int, int | None],
) -> Candidate:
    answer = said.get(one.item.id)
    return Candidate(
        one.item.id,
        plan.read(answer.confidence) if answer else None,
        problem,
        for_people=one.item.id not in free,
    )


# --- keeping ---


def _save(
    tx: Transaction,
    work: Work,
    plan: Plan,
    routes: Sequence[Route],
    said: Mapping[int, Said],
    told: Mapping[str, object],
) -> None:
    project, provider = work.project, plan.sitting.provider
    # one at a time with whoever makes labels of people's answers
    tx.projects.lock(project.id, "merge")
    own = [one.item_id for one in routes if one.who is Who.LLM]
    free = tx.llm_answers.unlabelled(project.id, own)
    kept = [one for one in routes if one.who is Who.PEOPLE or one.item_id in free]
    new_labels = [_label(work, plan, said[one], before) for one, before in sorted(free.items())]
    tx.labels.add(project.id, new_labels)
    tx.selections.withdraw(work.round.id, list(free))
    new = [_new_route(one, plan, said.get(one.item_id)) for one in kept]
    tx.llm_standing.add_routes(project.id, work.round.id, provider.name, provider.model, new)
    tx.events.add("llm.divided", "system", project_id=project.id, round_id=work.round.id, **told)


def _label(work: Work, plan: Plan, said: Said, before: int | None) -> NewLabel:
    return NewLabel(
        item_id=said.item_id,
        value=said.value,
        source=plan.sitting.source,
        round_id=work.round.id,
        supersedes=before,
        confidence=said.confidence,
    )


def _new_route(one: Route, plan: Plan, said: Said | None) -> NewRoute:
    return NewRoute(
        item_id=one.item_id,
        labelled_by=one.who.value,
        why=one.why.value,
        able=one.able,
        answer_id=said.answer_id if said else None,
        confidence=plan.read(said.confidence) if said else None,
        threshold=plan.rule.threshold if plan.rule.closed is None else None,
    )
