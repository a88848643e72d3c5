"""Why an item was chosen, in words for the person who labels it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats, Rows
from app.core.uncertainty import predicted

AUDIT = "random check, for honest figures"
RELABEL = "its label is doubted: please decide again"
DUEL = "drawn where two classifiers disagree"
RANDOM = "drawn at random"
EXPERT = "named by an expert"
BY_LLM = "chosen by an LLM"
CLEAR = 0.5
"""A lead over the second class from which nobody would speak of being torn."""


def torn_between(probabilities: Floats, rows: Rows, classes: Sequence[str]) -> list[str]:
    """`torn between *refund* 0.41 and *chargeback* 0.39` for each of the rows."""
    chosen = np.asarray(probabilities[rows], np.float64)
    order = np.argsort(-chosen, axis=1, kind="stable")[:, :2]
    return [_doubt(p, best, classes) for p, best in zip(chosen, order, strict=True)]


def best_guess(probabilities: Floats, rows: Rows, classes: Sequence[str]) -> list[str]:
    """`best guess is *refund*, at only 0.34` for each of the rows."""
    chosen = probabilities[rows]
    guess = predicted(chosen)
    return [
        f"best guess is *{classes[g]}*, at only {p[g]:.2f}"
        for p, g in zip(chosen, guess, strict=True)
    ]


def split_votes(votes: NDArray[np.int64], classes: Sequence[str]) -> list[str]:
    """`of 5 classifiers 3 say *refund*, 2 *chargeback*`, from one row of votes an item."""
    return [_vote(row, classes) for row in votes]


def raised_by_rules(boosts: Floats | None, rows: Rows) -> list[str]:
    """`raised ×2.0 by your rules` where one applies."""
    if boosts is None:
        return [""] * len(rows)
    return [f"raised ×{b:.1f} by your rules" if b > 1 else "" for b in boosts[rows]]


def doubted(doubts: Floats, rows: Rows) -> list[str]:
    """`an LLM doubts it: 0.83`, from 0 to 1."""
    return [f"an LLM doubts it: {doubt:.2f}" for doubt in doubts[rows]]


def few_labels(counts: Sequence[int], guesses: Sequence[int], classes: Sequence[str]) -> list[str]:
    """`*refund* has only 3 labels`."""
    return [f"*{classes[g]}* has {_labels(counts[g])}" for g in guesses]


def stands_for(counts: Sequence[int], exact: bool) -> list[str]:
    """`stands for 212 similar items`; `about` and two figures where it was estimated."""
    return [f"stands for {_count(n, exact)} similar {_items(n)}" if n else "" for n in counts]


def typical_of(counts: Sequence[int], exact: bool) -> list[str]:
    """`typical of a group of 310 similar items not yet labelled`."""
    return [
        f"typical of a group of {_count(n, exact)} similar items not yet labelled"
        if n > 1
        else "unlike anything labelled so far"
        for n in counts
    ]


def far_from_labelled(gaps: Floats) -> list[str]:
    """How far the nearest labelled item is, as a cosine, from squared distances."""
    return [f"far from everything labelled: likeness at most {1 - gap / 2:.2f}" for gap in gaps]


def joined(*parts: Sequence[str]) -> list[str]:
    """The parts of each reason, one after another, empty ones left out."""
    return ["; ".join(filter(None, several)) for several in zip(*parts, strict=True)]


def _doubt(p: NDArray[np.float64], best: NDArray[np.int64], classes: Sequence[str]) -> str:
    if len(best) < 2:
        return f"the only class so far is *{classes[best[0]]}*"
    first, second = best
    both = f"*{classes[first]}* {p[first]:.2f} and *{classes[second]}* {p[second]:.2f}"
    return f"torn between {both}" if p[first] - p[second] < CLEAR else f"fairly sure: {both}"


def _vote(votes: NDArray[np.int64], classes: Sequence[str]) -> str:
    named, counts = np.unique(votes, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    told = ", ".join(f"{counts[at]} *{classes[named[at]]}*" for at in order)
    return f"of {len(votes)} classifiers " + told.replace(" *", " say *", 1)


def _count(n: int, exact: bool) -> str:
    if exact or n < 10:
        return f"{n:,}"
    unit = 10 ** (len(str(n)) - 2)
    return f"about {round(n / unit) * unit:,}"


def _labels(n: int) -> str:
    return {0: "no label yet", 1: "only 1 label"}.get(n, f"{n:,} labels")


def _items(n: int) -> str:
    return "item" if n == 1 else "items"
