"""Whether a run goes on: every rule that is set, each with its evidence. Any one of them stops.

The rules look at what may be looked at after every round: never at the test split, whose figures a
rule that reads them would flatter. What a rule cannot judge it says instead of guessing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.core.estimation import clopper_pearson
from app.core.stopping.agreement import Agreement
from app.core.stopping.settings import Stopping

TARGET_ERROR = 0.05
NO_VALIDATION = (
    "Cannot be judged: no labelled items with split=validation were imported. The test split is "
    "never used to stop."
)

NO_LOOK = (
    "Too early: without a validation split it is judged by the random checks, at 10, 20, 40 and 80 "
    "of them."
)


class Verdict(StrEnum):
    GO_ON = "go_on"
    STOP = "stop"
    WAIT = "wait"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Validated:
    """One classifier on the validation split."""

    n: int
    correct: int

    @property
    def accuracy(self) -> float:
        return self.correct / self.n


@dataclass(frozen=True, slots=True)
class Progress:
    """How a project stands when a round closes. Histories are oldest first."""

    rounds: int
    labels: int
    candidates: int
    round_labels: int
    """Labels that the closing round brought."""
    labels_today: int
    """In the last 24 hours, by people."""
    free_in: float = 0.0
    """Seconds until fewer labels than `labels_a_day` are that young."""
    hours: float | None = None
    """Since auto mode was started; None if it was not."""
    cost: float = 0.0
    validated: Sequence[Validated] = ()
    looks: Sequence[Mapping[str, Any]] = ()
    """At the random checks: `at` so many, and the `low` end of accuracy then."""
    agreements: Sequence[Agreement] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says."""

    rule: str
    verdict: Verdict
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def judge(stopping: Stopping, progress: Progress) -> Sequence[Finding]:
    """Every rule that holds in this project, bounds first."""
    return [found for rule in RULES if (found := rule(stopping, progress)) is not None]


def bounds(stopping: Stopping, progress: Progress) -> Sequence[Finding]:
    """Those that refuse a round even to somebody who asks for it."""
    found = (rule(stopping, progress) for rule in (_rounds, _labels, _cost))
    return [one for one in found if one is not None and one.verdict == Verdict.STOP]


def _bound(rule: str, so_far: float, limit: float | None, unit: str) -> Finding | None:
    if limit is None:
        return None
    return Finding(
        rule,
        Verdict.STOP if so_far >= limit else Verdict.GO_ON,
        f"{_figure(so_far)} of at most {_figure(limit)} {unit}.",
        {"so_far": round(so_far, 4), "bound": limit},
    )


def _figure(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _rounds(stopping: Stopping, progress: Progress) -> Finding | None:
    return _bound("max_rounds", progress.rounds, stopping.max_rounds, "rounds")


def _labels(stopping: Stopping, progress: Progress) -> Finding | None:
    return _bound("max_labels", progress.labels, stopping.max_labels, "labels")


def _cost(stopping: Stopping, progress: Progress) -> Finding | None:
    return _bound("max_cost", progress.cost, stopping.max_cost, "dollars")


def _hours(stopping: Stopping, progress: Progress) -> Finding | None:
    if progress.hours is None:
        return None
    return _bound("max_hours", progress.hours, stopping.max_hours, "hours of auto mode")


def _pool(stopping: Stopping, progress: Progress) -> Finding:
    empty = progress.candidates == 0
    message = (
        "No item of the pool is left to select."
        if empty
        else f"{progress.candidates:,} items of the pool are left to select."
    )
    verdict = Verdict.STOP if empty else Verdict.GO_ON
    return Finding("pool_exhausted", verdict, message, {"left": progress.candidates})


def _some_labels(stopping: Stopping, progress: Progress) -> Finding:
    """Rounds that bring nothing would follow each other for ever."""
    brought = progress.round_labels
    message = f"The round brought {brought} labels." if brought else "The round brought no label."
    verdict = Verdict.GO_ON if brought else Verdict.STOP
    return Finding("no_labels", verdict, message, {"labels": brought})


def _capacity(stopping: Stopping, progress: Progress) -> Finding | None:
    if stopping.labels_a_day is None:
        return None
    full = progress.labels_today >= stopping.labels_a_day
    message = f"{progress.labels_today} labels in the last 24 hours of {stopping.labels_a_day}."
    if full:
        message += f" The next round begins in {progress.free_in / 3600:.1f} hours."
    evidence = {"labels_today": progress.labels_today, "bound": stopping.labels_a_day}
    if full:
        evidence["seconds"] = int(progress.free_in)
    return Finding("labels_a_day", Verdict.WAIT if full else Verdict.GO_ON, message, evidence)


def _target(stopping: Stopping, progress: Progress) -> Finding | None:
    """Reached when the lower end is above it. The error of 5% is shared out over all looks, however
    many there will be (the k-th gets 1/(k·(k+1)) of it), so that looking often proves nothing."""
    target = stopping.target_accuracy
    if target is None:
        return None
    if not progress.validated:
        return _target_by_checks(target, progress.looks)
    looks = len(progress.validated)
    error = TARGET_ERROR / (looks * (looks + 1))
    now = progress.validated[-1]
    low = clopper_pearson(now.correct, now.n, level=1 - 2 * error).low
    reached = low > target
    return Finding(
        "target_accuracy",
        Verdict.STOP if reached else Verdict.GO_ON,
        f"Accuracy on {now.n} validation items is {now.accuracy:.1%}; after {looks} looks at least "
        f"{low:.1%} of it is sure. The target of {target:.1%} is "
        f"{'reached' if reached else 'not shown to be reached'}.",
        {"n": now.n, "correct": now.correct, "low": low, "target": target, "looks": looks},
    )


def _target_by_checks(target: float, looks: Sequence[Mapping[str, Any]]) -> Finding:
    """Without a validation split: by the four looks at the random checks, and no other."""
    if not looks:
        return Finding("target_accuracy", Verdict.UNKNOWN, NO_LOOK)
    best = max(looks, key=lambda one: float(one["low"]))
    reached = best["low"] >= target
    return Finding(
        "target_accuracy",
        Verdict.STOP if reached else Verdict.GO_ON,
        f"At {best['at']} random checks accuracy on the unlabelled items was at least "
        f"{best['low']:.1%} (sure to {best['level']:.2%}). The target of {target:.1%} is "
        f"{'reached' if reached else 'not shown to be reached'}.",
        {"target": target, "low": best["low"], "at": best["at"], "looks": len(looks)},
    )


def _plateau(stopping: Stopping, progress: Progress) -> Finding | None:
    window = stopping.plateau_rounds
    if window is None:
        return None
    if not progress.validated:
        return Finding("plateau", Verdict.UNKNOWN, NO_VALIDATION)
    accuracies = [one.accuracy for one in progress.validated]
    if len(accuracies) <= window:
        return _too_early("plateau", len(accuracies), window + 1)
    gain = max(accuracies[-window:]) - max(accuracies[:-window])
    return Finding(
        "plateau",
        Verdict.GO_ON if gain > stopping.plateau_gain else Verdict.STOP,
        f"The last {window} rounds moved the best accuracy on {progress.validated[-1].n} "
        f"validation items by {100 * gain:+.1f} points.",
        {"gain": gain, "least": stopping.plateau_gain, "rounds": window},
    )


def _too_early(rule: str, so_far: int, needed: int) -> Finding:
    return Finding(
        rule,
        Verdict.UNKNOWN,
        f"Too early: {so_far} of {needed} measured rounds that it needs.",
        {"measured": so_far, "needed": needed},
    )


def _stable(stopping: Stopping, progress: Progress) -> Finding | None:
    window = stopping.stable_rounds
    if window is None:
        return None
    if len(progress.agreements) < window:
        return _too_early("stable", len(progress.agreements), window)
    recent = [one.kappa for one in progress.agreements[-window:]]
    stable = min(recent) >= stopping.stable_kappa
    return Finding(
        "stable",
        Verdict.STOP if stable else Verdict.GO_ON,
        f"Successive classifiers agreed on {progress.agreements[-1].items:,} pool items with kappa "
        f"{min(recent):.3f} or more in the last {window} rounds; {stopping.stable_kappa:g} is "
        "asked for.",
        {"kappas": recent, "least": stopping.stable_kappa},
    )


def _f_change(stopping: Stopping, progress: Progress) -> Finding | None:
    if stopping.f_change is None:
        return None
    window = stopping.f_change_rounds
    if len(progress.agreements) < window:
        return _too_early("f_change", len(progress.agreements), window)
    recent = [one.f_change for one in progress.agreements[-window:]]
    small = max(recent) <= stopping.f_change
    return Finding(
        "f_change",
        Verdict.STOP if small else Verdict.GO_ON,
        f"The predicted change of F was at most {max(recent):.3f} in each of the last {window} "
        f"rounds; {stopping.f_change:g} is small enough.",
        {"changes": recent, "most": stopping.f_change},
    )


Rule = Callable[[Stopping, Progress], Finding | None]
RULES: Sequence[Rule] = (
    _rounds,
    _labels,
    _cost,
    _hours,
    _pool,
    _some_labels,
    _capacity,
    _target,
    _plateau,
    _stable,
    _f_change,
)
