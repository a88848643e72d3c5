"""What may honestly be said while a project runs: accuracy, better than random, the gain ahead.

Every recipe here was simulated before it was allowed; `bench/coverage.py` repeats that. What cannot
be said yet is a value of its own with a reason, never a number.
"""

from app.core.estimation.audit import (
    FIRST_ESTIMATE,
    AccuracyEstimate,
    Checks,
    Rest,
    estimate_accuracy,
)
from app.core.estimation.crossfit import Judged, cross_fit
from app.core.estimation.duel import (
    FEWEST_POOLED,
    FIRST_DUEL,
    Duel,
    DuelVerdict,
    Exchanged,
    Pooled,
    exchange,
    judge_duel,
    labels_for,
    pooled,
)
from app.core.estimation.forecast import FIRST_FORECAST, Forecast, forecast_gain, past_sizes
from app.core.estimation.intervals import Interval, clopper_pearson
from app.core.estimation.looks import LOOKS, TargetVerdict, judge_target
from app.core.estimation.unsaid import Unsaid
from app.core.estimation.words import (
    accuracy_sentence,
    duel_sentence,
    forecast_sentence,
    fresh_sentence,
    pooled_sentence,
)

__all__ = [
    "FEWEST_POOLED",
    "FIRST_DUEL",
    "FIRST_ESTIMATE",
    "FIRST_FORECAST",
    "LOOKS",
    "AccuracyEstimate",
    "Checks",
    "Duel",
    "DuelVerdict",
    "Exchanged",
    "Forecast",
    "Interval",
    "Judged",
    "Pooled",
    "Rest",
    "TargetVerdict",
    "Unsaid",
    "accuracy_sentence",
    "clopper_pearson",
    "cross_fit",
    "duel_sentence",
    "estimate_accuracy",
    "exchange",
    "forecast_gain",
    "forecast_sentence",
    "fresh_sentence",
    "judge_duel",
    "judge_target",
    "labels_for",
    "past_sizes",
    "pooled",
    "pooled_sentence",
]
