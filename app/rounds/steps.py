"""A round, step by step: train → score → select → push → collect → merge → evaluate → close.

THE file to read first. Each step reads what it needs, works, and returns an `Outcome`; it writes
nothing itself but what may be repeated without harm. The runner commits the outcome together with
the round's move to the next state, so a step that dies has simply not happened and runs again.
"""

from collections.abc import Callable, Mapping

from app.core.entities import RoundState
from app.ports.store import Transaction
from app.rounds import (
    advising,
    automatic,
    closing,
    collecting,
    evaluating,
    featurising,
    mapping,
    merging,
    oracle,
    purposes,
    pushing,
    refreshing,
    relabelling,
    repairing,
    scoring,
    selecting,
    stopping,
    training,
)
from app.rounds.work import Outcome, Work


def plan(work: Work) -> Outcome:
    """Begin: the settings were fixed when the round was started."""
    return Outcome(RoundState.TRAINING, detail={"settings": work.round.settings.as_json()})


def train(work: Work) -> Outcome:
    """Take in late answers, then fit on every current label; at first there may be none."""
    late = collecting.collect_late(work)
    pushing.take_back_older_labels(work)
    merging.merge(work)
    features = featurising.current_features(work)
    fitted = training.classifier_of_now(work, features)
    return Outcome(
        RoundState.SCORING,
        save=lambda tx: tx.rounds.set_classifier(work.round.id, fitted.id if fitted else None),
        checkpoint={"features": features.version, "features_id": features.id},
        detail={
            "late_answers": late,
            "classifier": fitted.agent if fitted else None,
            "labels": fitted.labels if fitted else 0,
            "features": featurising.record(work, features),
            "report": dict(fitted.report) if fitted else {},
        },
    )


def score(work: Work) -> Outcome:
    """What the classifier thinks of every candidate, kept as a file that can be made again."""
    summary = scoring.score_pool(work)
    return Outcome(RoundState.SELECTING, checkpoint=summary.checkpoint, detail=summary.detail)


def select(work: Work) -> Outcome:
    """Choose the batch; an unhealthy one fails the round instead of wasting people's time. Where an
    LLM advises the strategy, it is asked first, and the step comes again."""
    seen = selecting.see_now(work)
    if advising.is_due(work):
        return advising.ask(work, selecting.request_of(work, seen), seen.stored)
    request, chosen = purposes.choose(work, seen)
    batch = selecting.describe(work, seen, request, chosen)
    places = mapping.places_of(work, seen.stored, [one.item_id for one in batch])

    def save(tx: Transaction) -> None:
        tx.rounds.set_pool(work.round.id, tx.pools.keep(work.project.id, seen.pool.ids))
        tx.selections.set_aside(work.project.id, work.round.asked)
        tx.selections.add(work.round, chosen.strategy, work.round.classifier_id, batch)
        places.save(tx)

    return Outcome(
        RoundState.PUSHING,
        save=save,
        checkpoint={"pool": len(request.candidates), "strategy_used": chosen.strategy},
        detail={**selecting.report(request, chosen), **advising.report(work)},
    )


def push(work: Work) -> Outcome:
    """What an LLM is to label it labels first, and the step comes again. The rest goes to Argilla,
    beside what earlier rounds left there for this one. Records are named after items, so a repeat
    changes nothing."""
    if oracle.is_due(work):
        return oracle.divide_batch(work)
    dataset = pushing.dataset_of(work)
    suggestions = refreshing.refresh_taken_over(work)
    pushed, quarantined = pushing.push_batch(work, dataset)
    return Outcome(
        RoundState.ANNOTATING,
        save=lambda tx: tx.rounds.set_dataset(work.round.id, dataset.id),
        detail={"pushed": pushed, "quarantined": quarantined, **suggestions, **oracle.report(work)},
    )


def collect(work: Work) -> Outcome:
    """Look for answers, have somebody else decide where they differ; go on when a rule says so."""
    if work.round.repair_requested:
        repairing.repair(work)
    if rule := closing.decided(work):
        return Outcome(
            RoundState.MERGING,
            detail={"closed_by": rule, **closing.close(work, rule)},
            save=lambda tx: tx.selections.give_up_lost(work.round),
        )
    if rule := closing.rule_of(work):
        return Outcome(None, checkpoint={closing.DECIDED: rule})
    return Outcome(None, wait_seconds=work.parts.poll_seconds)


def merge(work: Work) -> Outcome:
    """Turn answers into labels; a changed answer supersedes the label it made before."""
    labels, undecided = merging.merge(work, closing=not closing.leaves_the_rest(work))
    pushing.return_discarded(work, leave=closing.leaves_the_rest(work))
    return Outcome(RoundState.EVALUATING, detail={"labels": labels, "undecided": undecided})


def evaluate(work: Work) -> Outcome:
    """Retrain on all labels, measure on the held-out split, and see whether to go on."""
    result = evaluating.evaluate(work)
    judged = stopping.judge_round(work, result)
    suggestions = refreshing.refresh_left(work, result.classifier, result.features)

    def save(tx: Transaction) -> None:
        result.save(tx)
        judged.save(tx)

    def then(tx: Transaction) -> None:
        relabelling.edit_as_asked(tx, work.round)
        tx.measurements.plan(work.round)
        automatic.go_on(tx, work.round, judged.findings)

    return Outcome(
        RoundState.CLOSED,
        save=save,
        then=then,
        checkpoint=result.checkpoint,
        detail={**result.detail, **suggestions},
    )


def cancel(work: Work) -> Outcome:
    """Withdraw what nobody has answered; answers already given become labels as ever."""
    collecting.collect_late(work)
    pushing.withdraw(work, collecting.unanswered(work))
    labels, _ = merging.merge(work, closing=True)

    def then(tx: Transaction) -> None:
        relabelling.edit_as_asked(tx, work.round)
        automatic.cancelled(tx, work.round)

    return Outcome(
        RoundState.CANCELLED,
        save=lambda tx: tx.selections.give_up_lost(work.round),
        then=then,
        detail={"labels_kept": labels},
    )


STEPS: Mapping[RoundState, Callable[[Work], Outcome]] = {
    RoundState.PLANNED: plan,
    RoundState.TRAINING: train,
    RoundState.SCORING: score,
    RoundState.SELECTING: select,
    RoundState.PUSHING: push,
    RoundState.ANNOTATING: collect,
    RoundState.MERGING: merge,
    RoundState.EVALUATING: evaluate,
}
