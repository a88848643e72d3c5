"""Who answers in an experiment: the truth, the truth with mistakes, or anything that can label."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.errors import WrongInput
from app.simulate.named import Named

DEFAULT_NOISE = 0.05


@dataclass(frozen=True, slots=True)
class Question:
    """One item to be labelled. `text` is None where the data is not text."""

    item_id: str
    row: int
    text: str | None


class Oracle(Protocol):
    """Labels items. The same item gets the same answer whenever it is asked, in any order."""

    def answer(self, questions: Sequence[Question]) -> Sequence[int | None]:
        """Class positions, one a question; None where no label could be given."""


def cost_of(oracle: Oracle) -> float | None:
    """Dollars that it has cost so far, if it is one that costs money: such have `cost`."""
    cost: float | None = getattr(oracle, "cost", None)
    return cost


def misspelled_by(oracle: Oracle) -> Set[int]:
    """Rows whose label it wrote in another way; oracles that write have `misspelled`."""
    rows: Set[int] = getattr(oracle, "misspelled", frozenset())
    return rows


OracleFactory = Callable[[Sequence[str], int], Oracle]
"""From (classes, seed of the repeat) to an oracle; how an LLM comes into an experiment."""


@dataclass(frozen=True, slots=True)
class Known:
    """Answers that are known beforehand, by row."""

    answers: NDArray[np.int64]

    def answer(self, questions: Sequence[Question]) -> Sequence[int | None]:
        return [int(self.answers[question.row]) for question in questions]


def built_in(spec: Named, truth: NDArray[np.int64], classes: int, seed: int) -> Oracle:
    """The oracle of that name."""
    if spec.name == "truth":
        return Known(truth)
    return Known(with_noise(truth, classes, float(spec.options.get("noise", DEFAULT_NOISE)), seed))


def with_noise(truth: NDArray[np.int64], classes: int, rate: float, seed: int) -> NDArray[np.int64]:
    """Each label is wrong with that probability, and then any of the others.

    Drawn for every row beforehand: whether an item is mistaken depends on nothing but the seed.
    """
    chance = np.random.default_rng(seed)
    wrong = chance.random(len(truth)) < rate
    step = chance.integers(1, max(classes, 2), len(truth))
    return np.where(wrong, (truth + step) % classes, truth)


def check_oracle(spec: Named) -> None:
    """WrongInput for options that the built-in oracles do not have. Other names are checked when
    the experiment runs, against the oracles handed over there."""
    known = {"truth": set[str](), "simulated": {"noise"}}.get(spec.name)
    if known is None:
        return
    if unknown := sorted(set(spec.options) - known):
        raise WrongInput(f"Oracle {spec.name} has no option {unknown[0]!r}.", field="oracle")
    noise = spec.options.get("noise", DEFAULT_NOISE)
    if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise <= 1:
        raise WrongInput("noise must be a number from 0 to 1.", field="oracle")


BUILT_IN = ("truth", "simulated", "llm")
