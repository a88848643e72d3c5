"""Several ways to fit the same labels, judged out of fold; the best by rule is fitted on all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.models.calibration import Evidence, fit_scale
from app.core.models.decision import Decision
from app.core.models.folds import judge
from app.core.models.labels import Labels

ALIKE = "alike"
"""Option of every trainer: the report of a fit whose way and scale are to be used."""
_MANY = 500
"""From so many labels on, three folds tell as much as five do with fewer."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fit."""

    fit: Callable[[Labels, Mapping[str, Decision], bool], Decision]
    """From labels, what earlier ways made of them (may be empty), and whether it is the final fit
    or one that only has to tell how good it is."""
    prior_scale: float
    """The scale of scores that gives good probabilities as long as labels are few."""


Ways = Mapping[str, Way]
Record = Mapping[str, Evidence]
"""Of every way; empty if there are too few labels to judge any."""
Choice = tuple[str, str]
"""Name of the way, and why."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A decision with the scale of its scores and how both were come by."""

    decision: Decision
    scale: float
    report: Mapping[str, Any]


def contest(
    ways: Ways,
    labels: Labels,
    *,
    seed: int,
    choose: Callable[[Record], Choice],
    alike: Mapping[str, Any] | None = None,
) -> Fitted:
    """Judge all ways on the same folds, let `choose` take one, fit it on everything. With the
    report of another fit the way and the scale are its own, and nothing is judged anew."""
    if alike is not None and alike.get("chosen") in ways:
        return _fitted_alike(ways, labels, alike)
    folds = 3 if len(labels) >= _MANY else 5
    judged = judge(lambda part: _all(ways, part), labels, folds, seed)
    record = {
        name: Evidence(one, fit_scale(one, prior=ways[name].prior_scale))
        for name, one in judged.items()
    }
    chosen, why = choose(record)
    contestants = {name: evidence.summary() for name, evidence in record.items()}
    report = {
        "chosen": chosen,
        "why": why,
        "out_of_fold": contestants.get(chosen),
        "contestants": contestants,
    }
    scale = record[chosen].scale if chosen in record else ways[chosen].prior_scale
    return Fitted(ways[chosen].fit(labels, {}, True), scale, report)


def _fitted_alike(ways: Ways, labels: Labels, alike: Mapping[str, Any]) -> Fitted:
    chosen = alike["chosen"]
    report = {"chosen": chosen, "why": "as another was fitted", "out_of_fold": None}
    return Fitted(ways[chosen].fit(labels, {}, False), alike["scale"], report)


def _all(ways: Ways, labels: Labels) -> dict[str, Decision]:
    made: dict[str, Decision] = {}
    for name, way in ways.items():
        made[name] = way.fit(labels, made, False)
    return made
