"""What an experiment is: which data, which contestants, under which conditions."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from app.core.errors import WrongInput
from app.core.models import resolve_classifier
from app.core.projects import EMBEDDINGS, NO_EMBEDDINGS
from app.core.strategies import check_strategy_options, resolve_strategy
from app.simulate.llm import check_llm_oracle, check_selector
from app.simulate.named import listed, named
from app.simulate.oracles import check_oracle

COLD_STARTS = ("random", "balanced", "typiclust", "kmeans", "llm")
SEED_LABELS = ("oracle", "truth")
METRICS = ("accuracy", "macro_f1")
OTHER_NAMES = {"batch": "query_size", "rounds": "iterations"}
GRID = ("data", "strategy", "classifier", "oracle", "repeats")
"""What there is a run for each of; all else is a condition that all runs share."""
JUDGED_BY = ("target_acc", "metric")
"""What runs are looked at with; changing it changes no run."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Strategies × classifiers × oracles × repeats on labelled data, all under one condition.

    Every combination of a repeat sees the same split, the same seed items and the same seeds, so
    differences between them are differences of the contestants. `seed_size` 0 starts from no label
    at all, as a new project does. Lists may be given as "a,b".
    """

    data: tuple[str, ...] = ("digits",)
    strategy: tuple[str, ...] = ("default", "random")
    classifier: tuple[str, ...] = ("default",)
    oracle: tuple[str, ...] = ("truth",)
    seed_size: int = 20
    seed_labels: str = "oracle"
    """Who labels the seeds: the oracle like all else, or the truth, so that only what is chosen
    later differs between oracles."""
    cold_start: str = "random"
    query_size: int = 10
    iterations: int = 20
    repeats: int = 10
    test_fraction: float | None = None
    """None: the file's own test split, or 0.3 where it has none."""
    random_state: int = 0
    target_acc: float = 0.9
    metric: str = "accuracy"
    audit_fraction: float = 0.0
    embeddings: str = NO_EMBEDDINGS
    """As a project's setting; what there is, is said by whoever runs the experiment."""

    def __post_init__(self) -> None:
        for one in fields(self):
            checked = _CHECKS[one.name](one.name, getattr(self, one.name))
            object.__setattr__(self, one.name, checked)
        for strategy in map(named, self.strategy):
            resolve_strategy(strategy.name)
            check_strategy_options(strategy.options)
        for classifier in self.classifier:
            resolve_classifier(named(classifier).name)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Experiment":
        """From the keys of a config file; all unknown ones are named."""
        return cls(**known_keys(given, KEYS))

    def as_json(self) -> dict[str, Any]:
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @property
    def conditions(self) -> dict[str, Any]:
        """What must be the same for two runs to be comparable."""
        return {
            key: value for key, value in self.as_json().items() if key not in (*GRID, *JUDGED_BY)
        }

    @property
    def start(self) -> int:
        """Labels at the first point of a curve."""
        return self.seed_size or self.query_size

    @property
    def budget(self) -> int:
        """Labels at its last point, if the pool has so many."""
        return self.seed_size + self.query_size * self.iterations


KEYS = tuple(one.name for one in fields(Experiment))


def known_keys(given: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The same with one spelling for each key; WrongInput names every unknown one."""
    spelled: dict[str, Any] = {}
    unknown = []
    for key, value in given.items():
        plain = key.replace("-", "_")
        plain = OTHER_NAMES.get(plain, plain)
        if plain not in known:
            unknown.append(key)
        elif plain in spelled:
            raise WrongInput(f"{plain} is given twice.", field=key)
        elif value is not None:
            spelled[plain] = value
    if unknown:
        raise WrongInput(_unknown(unknown, known), field=unknown[0])
    return spelled


def _unknown(keys: list[str], known: tuple[str, ...]) -> str:
    named_keys = ", ".join(repr(key) for key in keys)
    near = difflib.get_close_matches(keys[0], known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(sorted(known))}."
    return f"Unknown key{'s' if len(keys) > 1 else ''} {named_keys}.{hint}"


def _names(key: str, value: Any) -> tuple[str, ...]:
    return listed(value, key)


def _files(key: str, value: Any) -> tuple[str, ...]:
    """Not cut at commas: a file's name may hold one."""
    files = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not files or not all(isinstance(one, str) and one for one in files):
        raise WrongInput("data must be the name of a file, or a built-in set.", field=key)
    return tuple(dict.fromkeys(files))


def _oracles(key: str, value: Any) -> tuple[str, ...]:
    names = listed(value, key)
    for name in names:
        check_oracle(named(name))
        check_llm_oracle(named(name))
    return names


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise WrongInput(f"{key} must be a whole number from {low} to {high}.", field=key)
        return value

    return check


def _share(low: float, high: float) -> Callable[[str, Any], float]:
    def check(key: str, value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise WrongInput(f"{key} must be a number from {low} to {high}.", field=key)
        return float(value)

    return check


def _or_none(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda key, value: None if value is None else check(key, value)


def _one_of(choices: tuple[str, ...]) -> Callable[[str, Any], str]:
    def check(key: str, value: Any) -> str:
        if value not in choices:
            raise WrongInput(f"{key} must be one of: {', '.join(choices)}.", field=key)
        return str(value)

    return check


def _cold_start(key: str, value: Any) -> str:
    written = named(str(value))
    _one_of(COLD_STARTS)(key, written.name)
    check_selector(written)
    return written.written


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "data": _files,
    "strategy": _names,
    "classifier": _names,
    "oracle": _oracles,
    "seed_size": _whole(0, 1_000_000),
    "seed_labels": _one_of(SEED_LABELS),
    "cold_start": _cold_start,
    "query_size": _whole(1, 100_000),
    "iterations": _whole(0, 100_000),
    "repeats": _whole(1, 10_000),
    "test_fraction": _or_none(_share(0.01, 0.95)),
    "random_state": _whole(0, 2**31 - 1),
    "target_acc": _share(0.0, 1.0),
    "metric": _one_of(METRICS),
    "audit_fraction": _share(0.0, 1.0),
    "embeddings": _one_of(EMBEDDINGS),
}
