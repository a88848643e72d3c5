"""The labels-to-target table: a row for each contestant, beside random on the same repeats."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.strategies import resolve_strategy
from app.simulate.experiment import Experiment
from app.simulate.named import named
from app.simulate.results import Run
from app.simulate.statistics import (
    Interval,
    area,
    labels_to_target,
    mean_interval,
    saving,
    saving_interval,
)

YARDSTICK = "random.v1"
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant over all repeats. Figures that do not exist are None."""

    data: str
    strategy: str
    classifier: str
    oracle: str
    metric: str
    target: float
    repeats: int
    labels_to_target: float | None
    """Median; None where half of the repeats or more do not get there."""
    labels_to_target_worst: float | None
    reached: int
    """Repeats that reach the target at all."""
    saved_vs_random: float | None
    """Share of random's labels that is not needed to reach the target."""
    saved_vs_random_interval: Interval | None
    auc: float
    auc_vs_random: float | None
    auc_vs_random_interval: Interval | None
    """Holds for all strategies compared with this random at once."""
    beats_random: bool | None
    """Whether that interval lies above zero; None where it cannot be told."""
    final_labels: float
    final_accuracy: float
    final_macro_f1: float
    label_agreement: float | None
    strict_agreement: float | None
    cost_a_run: float | None
    """Dollars, where the oracle costs any."""
    stopped: int
    """Runs that ended before their last round."""

    def as_json(self) -> dict[str, Any]:
        return {key: _finite(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Curves:
    """The runs of one contestant, by repeat."""

    runs: Sequence[Run]
    reached: Values
    areas: Values


def table(experiment: Experiment, runs: Sequence[Run]) -> list[Row]:
    """A row for each data × classifier × oracle × strategy, in the order of the experiment."""
    groups: dict[tuple[str, str, str, str], list[Run]] = {}
    for run in runs:
        key = run.key
        group = (key.data, key.classifier, key.oracle, key.strategy)
        groups.setdefault(group, []).append(run)
    curves = {group: _curves(experiment, own) for group, own in groups.items()}
    return [_row(experiment, group, curves) for group in curves]


def _curves(experiment: Experiment, runs: Sequence[Run]) -> Curves:
    metric, target = experiment.metric, experiment.target_acc
    end = min([experiment.budget, *(run.pool for run in runs)])
    start = min(experiment.start, end)
    return Curves(
        runs,
        np.array([labels_to_target(run.curve, metric, target) for run in runs]),
        np.array([area(run.curve, metric, start, end) if run.curve else 0.0 for run in runs]),
    )


def _row(
    experiment: Experiment,
    group: tuple[str, str, str, str],
    curves: Mapping[tuple[str, str, str, str], Curves],
) -> Row:
    data, classifier, oracle, strategy = group
    beside = [one for one in curves if one[:3] == group[:3]]
    random = next((curves[one] for one in beside if is_random(one[3])), None)
    own = curves[group]
    against = None if random is None or is_random(strategy) else random
    contestants = sum(not is_random(one[3]) for one in beside)
    difference = own.areas - against.areas if against else None
    interval = (
        None if difference is None else mean_interval(difference, 1 - 0.05 / max(contestants, 1))
    )
    ends = [run.curve[-1] for run in own.runs if run.curve]
    agreements = [run.label_agreement for run in own.runs if run.label_agreement is not None]
    strict = [run.strict_agreement for run in own.runs if run.strict_agreement is not None]
    costs = [run.cost for run in own.runs if run.cost is not None]
    return Row(
        data=data,
        strategy=strategy,
        classifier=classifier,
        oracle=oracle,
        metric=experiment.metric,
        target=experiment.target_acc,
        repeats=len(own.runs),
        labels_to_target=float(np.median(own.reached)),
        labels_to_target_worst=float(own.reached.max()),
        reached=int(np.isfinite(own.reached).sum()),
        saved_vs_random=saving(own.reached, against.reached) if against else None,
        saved_vs_random_interval=(
            saving_interval(own.reached, against.reached) if against else None
        ),
        auc=_mean(own.areas),
        auc_vs_random=None if difference is None else _mean(difference),
        auc_vs_random_interval=interval,
        beats_random=None if interval is None else interval[0] > 0,
        final_labels=_mean([point["labels"] for point in ends]),
        final_accuracy=_mean([point["accuracy"] for point in ends]),
        final_macro_f1=_mean([point["macro_f1"] for point in ends]),
        label_agreement=_mean(agreements) if agreements else None,
        strict_agreement=_mean(strict) if strict else None,
        cost_a_run=_mean(costs) if costs else None,
        stopped=sum(run.stopped is not None for run in own.runs),
    )


def is_random(strategy: str) -> bool:
    return resolve_strategy(named(strategy).name) == YARDSTICK


def _mean(values: Sequence[float] | Values) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _finite(value: Any) -> Any:
    """JSON knows no infinity: never reached is null."""
    if isinstance(value, tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def agreements(runs: Sequence[Run]) -> dict[tuple[str, str, str], tuple[float, int]]:
    """For each two oracles of a data set: how often they agree on items both were asked about in
    the same repeat, and on how many that is."""
    answers: dict[tuple[str, str], dict[tuple[int, str], str]] = {}
    for run in runs:
        own = answers.setdefault((run.key.data, run.key.oracle), {})
        own.update({(run.key.repeat, item): label for item, label in run.answers})
    found = {}
    for (data, first), left in answers.items():
        for (same, second), right in answers.items():
            common = left.keys() & right.keys()
            if data == same and first < second and common:
                equal = sum(left[one] == right[one] for one in common)
                found[data, first, second] = (equal / len(common), len(common))
    return found
