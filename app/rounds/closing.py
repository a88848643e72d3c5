"""When a round stops waiting for answers, and what becomes of the unanswered."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.closing import Rule, rule_met
from app.core.entities import Standing
from app.rounds import collecting, disputes, pushing, starting
from app.rounds.work import Work

DECIDED = "closed_by"
"""In the checkpoint. Written before anything is withdrawn, so that a round which dies in between
is closed by the same rule when it is taken up again."""


def decided(work: Work) -> Rule | None:
    known = work.round.checkpoint.get(DECIDED)
    return Rule(known) if known else None


def leaves_the_rest(work: Work) -> bool:
    """Whether what is unanswered waits on, for the round that follows."""
    return decided(work) == Rule.PREFETCH


def rule_of(work: Work) -> Rule | None:
    """The rule that closes this round now, if one does. It is believed only after a look at every
    record, not only at those that are out."""
    collecting.collect(work)
    rule = _rule_now(work)
    if rule is not None:
        collecting.collect_project(work.parts, work.project)
        rule = _rule_now(work)
    return rule


def _rule_now(work: Work) -> Rule | None:
    disputes.follow(work)
    settings, finish = work.round.settings, work.round.finish_requested
    # what measures something is judged whole, so nothing is brought before it is done
    ahead = settings.prefetch if work.round.purpose == "learning" else 0
    with work.store.transaction() as tx:
        standing = tx.selections.standing(work.round.id)
        rule = rule_met(settings.closing, standing, finish=finish, prefetch=ahead)
        if rule == Rule.PREFETCH and not starting.will_follow(tx, work.project):
            rule = rule_met(settings.closing, standing, finish=finish)
    return rule


def close(work: Work, rule: Rule) -> Mapping[str, Any]:
    """Take back what nobody has answered, then look once more: what was answered while we decided
    stays in Argilla and is collected. A draft stays too; its answer will count, late."""
    before = _to_take_back(work, rule)
    kept = pushing.withdraw(work, before)
    if kept:
        collecting.collect(work)
    with work.store.transaction() as tx:
        standing = tx.selections.standing(work.round.id)
    return {"withdrawn": len(before) - len(kept), **_left(standing, collecting.unanswered(work))}


def _to_take_back(work: Work, rule: Rule) -> Sequence[int]:
    """Where the next round will wait on for the unanswered, only what nobody seems to want."""
    if rule != Rule.PREFETCH:
        return collecting.unanswered(work)
    with work.store.transaction() as tx:
        return tx.selections.overdue(work.round)


def _left(standing: Standing, unanswered: Any) -> Mapping[str, int]:
    return {
        "answered": standing.answered,
        "disputed": standing.disputed,
        "partly_answered": len(unanswered),
    }
