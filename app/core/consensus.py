"""What several answers about an item come to, by how much each annotator can be relied on.

Three ways, each from the answers alone: every answer counts the same; each counts by how often its
annotator agrees with the others (Li & Yu 2014, iterative weighted majority voting); or each counts
by what its annotator is known to mix up (Dawid & Skene 1979, by EM).
"""

from collections.abc import Callable, Mapping

import numpy as np

from app.core.votes import Integers, Reals, Votes

MOST_PASSES = 200
_SETTLED = 1e-7
_LIKE_OTHERS = 2.0
"""So many imagined answers hold an annotator of whom little is known to what is expected."""
_EXPECTED = 0.8
"""How often an annotator of whom nothing is known is taken to be right."""


def majority(votes: Votes) -> Reals:
    """(item, class): the share of the answers."""
    counts = votes.counts
    shares: Reals = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return shares


def weighted(votes: Votes) -> Reals:
    """(item, class): the share of the weight of the answers."""
    shares = majority(votes)
    for _ in range(MOST_PASSES):
        weights = _weight_of(reliability(votes, shares), len(votes.classes))
        now = _weighted_shares(votes, weights)
        if np.abs(now - shares).max(initial=0.0) < _SETTLED:
            return now
        shares = now
    return shares


def reliability(votes: Votes, shares: Reals) -> Reals:
    """How often each annotator is right by these shares; only where others answered too."""
    shared = votes.counts.sum(axis=1)[votes.items] >= 2
    own = np.where(shared, shares[votes.items, votes.labels], 0.0)
    right = np.bincount(votes.annotators, own, len(votes.annotator_names))
    of = np.bincount(votes.annotators, shared.astype(np.float64), len(votes.annotator_names))
    known: Reals = (right + _LIKE_OTHERS * _EXPECTED) / (of + _LIKE_OTHERS)
    return known


def _weight_of(reliable: Reals, classes: int) -> Reals:
    """Log odds against a guess; who is worse than a guess hardly counts, and is not reversed."""
    safe = np.clip(reliable, 1e-3, 1 - 1e-3)
    weights: Reals = np.log(safe * max(classes - 1, 1) / (1 - safe))
    return np.maximum(weights, 1e-3)


def _weighted_shares(votes: Votes, weights: Reals) -> Reals:
    table = np.zeros_like(votes.counts)
    np.add.at(table, (votes.items, votes.labels), weights[votes.annotators])
    shares: Reals = table / np.maximum(table.sum(axis=1, keepdims=True), 1e-300)
    return shares


def dawid_skene(votes: Votes, *, imagined: float = _LIKE_OTHERS) -> Reals:
    """(item, class): the probability that this is the true class.

    `imagined` answers a true class, four of five of them right, stand beside what each annotator
    really said, so that a few answers prove nobody perfect; 0 gives the estimate of the paper.
    """
    if not len(votes):
        return majority(votes)
    beliefs = majority(votes)
    rates = _Rates(votes, imagined)
    for _ in range(MOST_PASSES):
        now = rates.beliefs_given(beliefs)
        if np.abs(now - beliefs).max() < _SETTLED:
            return now
        beliefs = now
    return beliefs


class _Rates:
    """Error rates of annotators. Kept only for what somebody really said: all pairs of 500 classes
    and 50 annotators would be twelve million figures."""

    def __init__(self, votes: Votes, imagined: float) -> None:
        self.votes, self.imagined = votes, imagined
        classes = len(votes.classes)
        said = votes.annotators * classes + votes.labels
        self.kinds, self.kind_of = np.unique(said, return_inverse=True)
        self.annotator_of, label_of = np.divmod(self.kinds, classes)
        self.expected = np.full((len(self.kinds), classes), (1 - _EXPECTED) / max(classes - 1, 1))
        self.expected[np.arange(len(self.kinds)), label_of] = _EXPECTED

    def beliefs_given(self, beliefs: Reals) -> Reals:
        """One pass: rates from beliefs, then beliefs from rates."""
        votes = self.votes
        prior = beliefs.mean(axis=0)
        theirs = beliefs[votes.items]
        spoken = _sums(theirs, self.kind_of, len(self.kinds)) + self.imagined * self.expected
        in_all = _sums(theirs, votes.annotators, len(votes.annotator_names)) + self.imagined
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = np.log(np.nan_to_num(spoken / in_all[self.annotator_of]))
            of_class = np.log(prior)
        logs = of_class + _sums(rates[self.kind_of], votes.items, len(beliefs))
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        now: Reals = odds / odds.sum(axis=1, keepdims=True)
        return now


def _sums(rows: Reals, group: Integers, groups: int) -> Reals:
    """Rows of the same group added up."""
    order = np.argsort(group, kind="stable")
    present, starts = np.unique(group[order], return_index=True)
    table = np.zeros((groups, rows.shape[1]))
    table[present] = np.add.reduceat(rows[order], starts, axis=0)
    return table


METHODS: Mapping[str, Callable[[Votes], Reals]] = {
    "majority": majority,
    "weighted": weighted,
    "dawid_skene": dawid_skene,
}
