"""A round, step by step: train → score → select → push → collect → merge → evaluate → close.

THE file to read first. Each step reads what it needs, works, and returns an `Outcome`; it writes
nothing itself but what may be repeated without harm. The runner commits the outcome together with
the round's move to the next state, so a step that dies has simply not happened and runs again.
"""

from collections.abc import Callable, Mapping

from app.core.entities import RoundState
from app.ports.store import Transaction
from app.rounds import (
    automatic,
    closing,
    collecting,
    evaluating,
    featurising,
    mapping,
    merging,
    oracle,
    pushing,
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
    """Choose the batch; an unhealthy one fails the round instead of wasting people's time."""
    seen = selecting.see_now(work)
    request, chosen = selecting.choose(work, seen)
    batch = selecting.describe(work, seen, request, chosen)
    places = mapping.places_of(work, seen.stored, [one.item_id for one in batch])

    def save(tx: Transaction) -> None:
        tx.rounds.set_pool(work.round.id, tx.pools.keep(work.project.id, seen.pool.ids))
        tx.selections.add(work.round, chosen.strategy, work.round.classifier_id, batch)
        places.save(tx)

    return Outcome(
        RoundState.PUSHING,
        save=save,
        checkpoint={"pool": len(request.candidates), "strategy_used": chosen.strategy},
        detail=selecting.report(request, chosen),
    )


def push(work: Work) -> Outcome:
    """What an LLM is to label it labels first, and the step comes again. The rest goes to Argilla,
    where records are named after items, so a repeat changes nothing."""
    if oracle.is_due(work):
        return oracle.divide_batch(work)
    dataset = pushing.dataset_of(work)
    pushed, quarantined = pushing.push_batch(work, dataset)
    return Outcome(
        RoundState.ANNOTATING,
        save=lambda tx: tx.rounds.set_dataset(work.round.id, dataset.id),
        detail={"pushed": pushed, "quarantined": quarantined, **oracle.report(work)},
    )


def collect(work: Work) -> Outcome:
    """Look for answers, have somebody else decide where they differ; go on when a rule says so."""
    if work.round.repair_requested:
        repairing.repair(work)
    if rule := closing.decided(work):
        return Outcome(
            RoundState.MERGING,
            detail={"closed_by": rule, **closing.close(work)},
            save=lambda tx: tx.selections.give_up_lost(work.round),
        )
    if rule := closing.rule_of(work):
        return Outcome(None, checkpoint={closing.DECIDED: rule})
    return Outcome(None, wait_seconds=work.parts.poll_seconds)


def merge(work: Work) -> Outcome:
    """Turn answers into labels; a changed answer supersedes the label it made before."""
    labels, undecided = merging.merge(work, closing=True)
    pushing.return_discarded(work)
    return Outcome(RoundState.EVALUATING, detail={"labels": labels, "undecided": undecided})


def evaluate(work: Work) -> Outcome:
    """Retrain on all labels, measure on the held-out split, and see whether to go on."""
    result = evaluating.evaluate(work)
    judged = stopping.judge_round(work, result)

    def save(tx: Transaction) -> None:
        result.save(tx)
        judged.save(tx)

    return Outcome(
        RoundState.CLOSED,
        save=save,
        then=lambda tx: automatic.go_on(tx, work.round, judged.findings),
        checkpoint=result.checkpoint,
        detail=result.detail,
    )


def cancel(work: Work) -> Outcome:
    """Withdraw what nobody has answered; answers already given become labels as ever."""
    collecting.collect_late(work)
    pushing.withdraw(work, collecting.unanswered(work))
    labels, _ = merging.merge(work, closing=True)
    return Outcome(
        RoundState.CANCELLED,
        save=lambda tx: tx.selections.give_up_lost(work.round),
        then=lambda tx: automatic.cancelled(tx, work.round),
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
