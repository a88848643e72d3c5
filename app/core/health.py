"""Is a batch worth an annotator's time? What is found is recorded; a failure stops the round."""

from collections.abc import Sequence

import numpy as np

from app.core.errors import SelectionUnhealthy
from app.core.types import Floats, HealthFinding, Rows, Selection, Severity
from app.core.uncertainty import predicted

FLAT = 1e-6
"""Scores that differ by less say nothing."""
SMALL_BATCH = 5
"""Fewer picks than this may well share a predicted class by chance."""
NEARLY_EXHAUSTED = 2
"""Batches left in the pool below which people are told."""


def scores(pool_scores: Floats, size: int, some_vectors: Floats) -> list[HealthFinding]:
    """NaN or infinite anywhere, or the same everywhere although the items differ.

    `some_vectors` are of a sample of the items: where those are all the same, for example what is
    left of a pool are empty texts, equal scores are right and only a warning.
    """
    broken = int((~np.isfinite(pool_scores)).sum())
    if broken:
        return [
            HealthFinding(
                "scores_not_numbers",
                Severity.FAILURE,
                f"{broken} of {len(pool_scores)} scores are not finite numbers.",
                {"broken": broken, "candidates": len(pool_scores)},
            )
        ]
    if len(pool_scores) > max(size, 1) and float(np.ptp(pool_scores)) < FLAT:
        alike = bool((some_vectors == some_vectors[:1]).all())
        why = "the items are all alike" if alike else "the classifier tells nothing apart"
        return [
            HealthFinding(
                "scores_constant",
                Severity.WARNING if alike else Severity.FAILURE,
                f"All {len(pool_scores)} candidates have the same score "
                f"{float(pool_scores[0]):.4f}: {why}.",
                {"score": float(pool_scores[0]), "candidates": len(pool_scores)},
            )
        ]
    return []


def repeats(rows: Rows, occupied: Rows) -> list[HealthFinding]:
    """The same row twice, or one that is labelled or out for annotation."""
    found = []
    if len(np.unique(rows)) < len(rows):
        found.append(
            HealthFinding("repeated_items", Severity.FAILURE, "The batch holds an item twice.")
        )
    if len(np.intersect1d(rows, occupied)):
        message = "The batch holds an item that is labelled or out for annotation already."
        found.append(HealthFinding("occupied_items", Severity.FAILURE, message))
    return found


def one_class(probabilities: Floats, chosen: Rows) -> int | None:
    """The class that the whole batch is predicted to be although the pool holds others."""
    if len(chosen) < SMALL_BATCH:
        return None
    classes = np.unique(predicted(probabilities[chosen]))
    if len(classes) > 1 or (predicted(probabilities) == classes[0]).all():
        return None
    return int(classes[0])


def one_class_batch(label: str, size: int, exchanged: int) -> HealthFinding:
    """Exchanged for others it is a warning; left as it is, a failure."""
    message = f"All {size} picks were predicted *{label}* although the pool holds other classes"
    if exchanged:
        message += f"; {exchanged} were exchanged for the most doubtful of those"
    return HealthFinding(
        "one_class_batch",
        Severity.WARNING if exchanged else Severity.FAILURE,
        f"{message}.",
        {"class": label, "picks": size, "exchanged": exchanged},
    )


def supply(candidates: int, wanted: int, chosen: int) -> list[HealthFinding]:
    """Too little to choose from, now or next time."""
    evidence = {"candidates": candidates, "wanted": wanted, "chosen": chosen}
    if chosen < wanted:
        message = f"Only {chosen} of {wanted} wanted: the pool has no more."
        return [HealthFinding("pool_exhausted", Severity.WARNING, message, evidence)]
    left = candidates - chosen
    if left < NEARLY_EXHAUSTED * wanted:
        message = f"{left} candidates are left after this batch of {chosen}."
        return [HealthFinding("pool_nearly_exhausted", Severity.NOTE, message, evidence)]
    return []


def let_in(count: int) -> list[HealthFinding]:
    """Near-duplicates and outliers that had to fill the batch."""
    if not count:
        return []
    message = f"{count} near-duplicates or outliers fill the batch: nothing else was left."
    return [HealthFinding("held_back_used", Severity.WARNING, message, {"let_in": count})]


def fallback(wanted: str, used: str, why: str) -> HealthFinding:
    return HealthFinding(
        "fallback_used",
        Severity.WARNING,
        f"{used} chose instead of {wanted}: {why}",
        {"wanted": wanted, "used": used},
    )


def insist(selection: Selection) -> Selection:
    """The selection, unless one of its findings is a failure."""
    failures: Sequence[HealthFinding] = [
        f for f in selection.findings if f.severity is Severity.FAILURE
    ]
    if failures:
        raise SelectionUnhealthy(
            " ".join(f.message for f in failures),
            findings=[
                {"code": f.code, "message": f.message, "evidence": dict(f.evidence)}
                for f in failures
            ],
        )
    return selection
