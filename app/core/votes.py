"""Who said what about which item, as arrays. What consensus and agreement are computed from."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Vote = tuple[Hashable, str, str]
"""Item, annotator, label."""


@dataclass(frozen=True)
class Votes:
    """Row i of the three arrays is one answer, as positions in the three lists of names."""

    items: Integers
    annotators: Integers
    labels: Integers
    item_names: Sequence[Hashable]
    annotator_names: Sequence[str]
    classes: Sequence[str]

    @classmethod
    def of(cls, votes: Iterable[Vote], classes: Sequence[str]) -> "Votes":
        """Answers with a label outside `classes` (one since gone) are left out."""
        position = {label: index for index, label in enumerate(classes)}
        given = [vote for vote in votes if vote[2] in position]
        items = list(dict.fromkeys(item for item, _, _ in given))
        people = sorted({annotator for _, annotator, _ in given})
        return cls(
            _positions([item for item, _, _ in given], items),
            _positions([annotator for _, annotator, _ in given], people),
            np.array([position[label] for _, _, label in given], dtype=np.int64),
            items,
            people,
            classes,
        )

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def counts(self) -> Reals:
        """(item, class): how many said so."""
        table = np.zeros((len(self.item_names), len(self.classes)))
        np.add.at(table, (self.items, self.labels), 1.0)
        return table

    def several(self) -> "Votes":
        """Only the items about which at least two answers were given."""
        answers = self.counts.sum(axis=1)
        kept = np.flatnonzero(answers >= 2)
        rows = np.isin(self.items, kept)
        return Votes(
            np.searchsorted(kept, self.items[rows]).astype(np.int64),
            self.annotators[rows],
            self.labels[rows],
            [self.item_names[row] for row in kept.tolist()],
            self.annotator_names,
            self.classes,
        )


def _positions(names: Sequence[Hashable], order: Sequence[Hashable]) -> Integers:
    position = {name: index for index, name in enumerate(order)}
    return np.array([position[name] for name in names], dtype=np.int64)
