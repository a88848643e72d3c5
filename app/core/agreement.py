"""How far annotators agree, beyond chance and one by one.

Each figure is a number with what it was computed from, or no number and the reason why: agreement
of nobody with nobody is not 0, and not NaN either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from app.core.evaluation import confusion_matrix
from app.core.votes import Integers, Reals, Votes

NOBODY = "No item has answers of two annotators."
ONE_LABEL = "All answers are the same label, so nothing can be said of agreement beyond chance."
NO_SHARED = "They have answered no item in common."


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or the reason why there is none; and how many items it rests on."""

    value: float | None
    items: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators on the items that both have answered."""

    first: str
    second: str
    kappa: Figure
    same: int
    """On how many of them they gave the same label."""


@dataclass(frozen=True, slots=True)
class Person:
    """One annotator."""

    name: str
    answers: int
    with_others: Figure
    """Share of the others' answers to the same items that were the same."""
    with_label: Figure
    """Share of the own answers that the item's label became."""
    confusion: Sequence[tuple[str, str, int]]
    """(label, what this annotator said instead, how often), most frequent first."""


@dataclass(frozen=True, slots=True)
class OfClass:
    """The answers to items whose label is this class."""

    label: str
    same: Figure


def krippendorff_alpha(votes: Votes) -> Figure:
    """Krippendorff's alpha for nominal data; any number of annotators, any gaps."""
    counts = votes.several().counts
    if not len(counts):
        return Figure(None, 0, NOBODY)
    answers = counts.sum(axis=1, keepdims=True)
    observed = ((answers * counts - counts**2) / (answers - 1)).sum()
    totals = counts.sum(axis=0)
    expected = (totals.sum() ** 2 - (totals**2).sum()) / (totals.sum() - 1)
    if not expected:
        return Figure(None, len(counts), ONE_LABEL)
    return Figure(float(1 - observed / expected), len(counts))


def fleiss_kappa(votes: Votes) -> Figure:
    """Fleiss' kappa, on the items with the most usual number of answers (it needs equal ones)."""
    counts = votes.several().counts
    if not len(counts):
        return Figure(None, 0, NOBODY)
    answers = counts.sum(axis=1).astype(np.int64)
    usual = int(np.bincount(answers).argmax())
    chosen = counts[answers == usual]
    of_item = ((chosen**2).sum(axis=1) - usual) / (usual * (usual - 1))
    shares = chosen.sum(axis=0) / chosen.sum()
    return _beyond_chance(float(of_item.mean()), float((shares**2).sum()), len(chosen))


def cohen_kappa(votes: Votes, first: str, second: str) -> Figure:
    """Cohen's kappa of two annotators, on the items that both have answered."""
    table = _together(votes, first, second)
    items = int(table.sum())
    if not items:
        return Figure(None, 0, NO_SHARED)
    shares = table / items
    chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return _beyond_chance(float(np.trace(shares)), chance, items)


def _beyond_chance(observed: float, chance: float, items: int) -> Figure:
    if np.isclose(chance, 1.0):
        return Figure(None, items, ONE_LABEL)
    return Figure((observed - chance) / (1 - chance), items)


def _together(votes: Votes, first: str, second: str) -> Reals:
    """(label of the first, label of the second) on items that both have answered."""
    names, classes = votes.annotator_names, len(votes.classes)
    said = np.full((2, len(votes.item_names)), -1, dtype=np.int64)
    for row, name in enumerate((first, second)):
        own = votes.annotators == names.index(name)
        said[row, votes.items[own]] = votes.labels[own]
    both = (said >= 0).all(axis=0)
    return confusion_matrix(said[0, both], said[1, both], classes).astype(np.float64)


def pairs(votes: Votes) -> Sequence[Pair]:
    """Every two annotators who have answered an item in common."""
    found = []
    for first, second in combinations(votes.annotator_names, 2):
        kappa = cohen_kappa(votes, first, second)
        if kappa.items:
            same = int(np.trace(_together(votes, first, second)))
            found.append(Pair(first, second, kappa, same))
    return found


def people(votes: Votes, label_of: Integers) -> Sequence[Person]:
    """Every annotator. `label_of` has the position of each item's label, -1 where it has none."""
    return [_person(votes, label_of, index) for index in range(len(votes.annotator_names))]


def _person(votes: Votes, label_of: Integers, index: int) -> Person:
    own = np.flatnonzero(votes.annotators == index)
    items, labels = votes.items[own], votes.labels[own]
    others = votes.counts[items].sum(axis=1) - 1
    alike = votes.counts[items, labels] - 1
    known = (label_of[items] >= 0) & (others > 0)
    right = label_of[items[known]] == labels[known]
    return Person(
        votes.annotator_names[index],
        len(own),
        _share(float(alike.sum()), float(others.sum()), int((others > 0).sum()), NOBODY),
        _share(float(right.sum()), float(known.sum()), int(known.sum()), NOBODY),
        _mistaken(votes, label_of[items[known]], labels[known]),
    )


def _mistaken(votes: Votes, true: Integers, said: Integers) -> Sequence[tuple[str, str, int]]:
    cells = confusion_matrix(true, said, len(votes.classes))
    np.fill_diagonal(cells, 0)
    order = np.argsort(-cells, axis=None, kind="stable")[: np.count_nonzero(cells)]
    where = [divmod(int(cell), len(votes.classes)) for cell in order]
    return [(votes.classes[t], votes.classes[s], int(cells[t, s])) for t, s in where]


def classes_of(votes: Votes, label_of: Integers) -> Sequence[OfClass]:
    """For every class that is the label of an item with several answers: how many said so."""
    answers = votes.counts.sum(axis=1)
    found = []
    for position, name in enumerate(votes.classes):
        rows = np.flatnonzero((label_of == position) & (answers >= 2))
        if len(rows):
            same = float(votes.counts[rows, position].sum() / answers[rows].sum())
            found.append(OfClass(name, Figure(same, len(rows))))
    return found


def _share(part: float, whole: float, items: int, reason: str) -> Figure:
    return Figure(part / whole, items) if whole else Figure(None, 0, reason)
