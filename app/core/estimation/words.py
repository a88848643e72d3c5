"""The sentences in which the figures are told. Nothing else may be said of them."""

from app.core.estimation.audit import AccuracyEstimate
from app.core.estimation.duel import FEWEST_POOLED, Duel, DuelVerdict, Pooled
from app.core.estimation.forecast import Forecast
from app.core.estimation.intervals import Interval


def accuracy_sentence(told: AccuracyEstimate) -> str:
    remaining, fresh = told.remaining, told.new_items
    return (
        f"About {_share(remaining.value)} on the unlabelled items (95% interval "
        f"{_between(remaining)}), from {told.checks} randomly chosen checks. "
        f"On new items of this kind: {_share(fresh.value)} ({_between(fresh)})."
    )


def fresh_sentence(right: int, checks: int, told: Interval) -> str:
    """A one-off audit, exact."""
    return (
        f"The classifier was right on {right} of {checks} freshly drawn items: accuracy on what "
        f"was unlabelled is {_share(told.value)} (95% interval {_between(told)})."
    )


def duel_sentence(duel: Duel, labels_a_side: int) -> str:
    """`labels_a_side`: how many active and how many random labels were compared."""
    size = f"{_points(duel.gap.value)} points ({_points(duel.gap.low)} to {_points(duel.gap.high)})"
    if duel.verdict == DuelVerdict.NOT_SEPARATED:
        return (
            f"{duel.labels} labels on the items where the two disagree could not separate them "
            f"(gap {_points(duel.gap.low)} to {_points(duel.gap.high)} points). "
            "That does not mean they are equal."
        )
    if duel.verdict == DuelVerdict.BY_CHANCE:
        return (
            f"The first {labels_a_side} actively chosen labels and {labels_a_side} random ones "
            f"differ here by {size}, but no more than two random sets of labels may. Whether "
            "choosing helps is not separated."
        )
    better = "better" if duel.verdict == DuelVerdict.ACTIVE else "worse"
    return (
        f"In this project the first {labels_a_side} actively chosen labels gave a {better} "
        f"classifier than {labels_a_side} random ones: {size}."
    )


def pooled_sentence(told: Pooled | None, fought: int) -> str:
    """Over the projects of an installation."""
    if told is None:
        return (
            f"Duels fought in projects of this installation: {fought}. Together they speak of the "
            f"methods from {FEWEST_POOLED} on."
        )
    gap = told.gap
    return (
        f"In {told.active_ahead} of {told.projects} projects the actively chosen labels were "
        f"ahead; on average by {_points(gap.value)} points ({_points(gap.low)} to "
        f"{_points(gap.high)})."
    )


def forecast_sentence(forecast: Forecast) -> str:
    gain = forecast.gain
    more = forecast.labels_then - forecast.labels_now
    return (
        f"{more} more labels ({forecast.labels_then} in all) would add about "
        f"{100 * gain.value:.0f} points ({_points(gain.low)} to {_points(gain.high)}). "
        "How many labels reach a given accuracy cannot be said."
    )


def _share(value: float) -> str:
    return f"{100 * value:.0f}%"


def _between(interval: Interval) -> str:
    return f"{100 * interval.low:.0f}–{100 * interval.high:.0f}%"


def _points(value: float) -> str:
    rounded = round(100 * value, 1)
    return f"{rounded:+.1f}" if rounded else "0"
