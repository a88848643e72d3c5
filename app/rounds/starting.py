"""The next round of a project: whether it may begin, and how it is planned."""

from collections.abc import Sequence

from app.core.entities import Project, ProjectState, Round, RunFacts
from app.core.errors import Conflict
from app.core.llm.money import in_dollars
from app.core.models import resolve_classifier
from app.core.stopping.rules import Finding, Progress, bounds
from app.core.strategies import resolve_strategy
from app.ports.store import PoolCounts, Transaction
from app.rounds.identity import derived_seed


def plan_round(
    tx: Transaction,
    project: Project,
    *,
    actor: str,
    due_in: float = 0.0,
    purpose: str = "learning",
    batch_size: int | None = None,
    asked: Sequence[int] = (),
) -> Round:
    """The next round, due in so many seconds. Conflict says why there can be none."""
    _check_may_start(tx, project)
    round_ = tx.rounds.start(
        project,
        strategy=resolve_strategy(project.settings.strategy),
        classifier=resolve_classifier(project.settings.classifier),
        seed_of=lambda number: derived_seed(project.settings.seed, "round", number),
        actor=actor,
        due_in=due_in,
        purpose=purpose,
        batch_size=batch_size,
        asked=asked,
    )
    tx.events.add("round.planned", actor, project_id=project.id, round_id=round_.id)
    for number, items in tx.selections.take_over(round_).items():
        tx.events.add(
            "items.carried_over",
            actor,
            project_id=project.id,
            round_id=round_.id,
            left_by=number,
            items=items,
        )
    return round_


def will_follow(tx: Transaction, project: Project) -> bool:
    """Whether a round that closed now would be followed by another, as far as can be known."""
    if project.auto_since is None:
        return False
    counts = tx.items.counts(project.id)
    return counts.candidates > 0 and not _bounds_reached(tx, project, counts)


def _check_may_start(tx: Transaction, project: Project) -> None:
    if project.state != ProjectState.ACTIVE:
        raise Conflict(f"The project is {project.state.value}. Set its state to active first.")
    if tx.rounds.open(project.id) is not None:
        return  # the store says which one, and what state it is in
    counts = tx.items.counts(project.id)
    if counts.candidates == 0:
        raise Conflict(
            "The pool has no unlabelled item left to select."
            if counts.pool
            else "The project has no items. Import some first.",
            pool=counts.pool,
            labelled=counts.labelled,
        )
    _check_bounds(tx, project, counts)


def _check_bounds(tx: Transaction, project: Project, counts: PoolCounts) -> None:
    for reached in _bounds_reached(tx, project, counts):
        raise Conflict(
            f"The project has reached a bound: {reached.message} Raise stopping.{reached.rule} to "
            f"go on, such as with `rounds set {project.name} stopping.{reached.rule}=…`.",
            **reached.evidence,
        )


def _bounds_reached(tx: Transaction, project: Project, counts: PoolCounts) -> Sequence[Finding]:
    stopping = project.settings.stopping
    facts = tx.runs.facts(project.id, None, stopping.labels_a_day)
    progress = Progress(
        rounds=len(tx.rounds.all(project.id)),
        labels=counts.labelled,
        candidates=counts.candidates,
        round_labels=0,
        labels_today=facts.labels_today,
        cost=spent(tx, project, facts),
    )
    return bounds(stopping, progress)


def spent(tx: Transaction, project: Project, facts: RunFacts) -> float:
    """Dollars so far: people by the hour, and what LLMs cost or have set aside."""
    by_people = facts.human_hours * project.settings.stopping.price_per_hour
    return by_people + in_dollars(tx.llm_calls.spent(project.id, None)[0])
