"""How unsure a classifier is of each item, at the speed of memory.

Probabilities are walked class by class in blocks that stay in the processor's cache, so no array of
the pool's size is made but the scores themselves. An array laid out class-major (`order="F"`: each
class's column lies together) is read as it is; any other is turned over block by block.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.tournament import PairTournament, come_in_pairs, two_largest
from app.core.types import Floats, Rows

MOST, FEWEST = 8_192, 4_096
BYTES = 2**19
"""Rows at a time, and how many bytes of them if that leaves enough rows: half a megabyte, so that
all that is read and written for them stays in the second-level cache."""
TINY = np.float32(1e-12)

Measure = Callable[[Floats], Floats]
"""One score a row. NaN in means NaN out: it is never hidden."""


def blocks(probabilities: Floats) -> Iterator[tuple[int, Floats]]:
    """(first row, class-major block) over all rows."""
    for start, block in _cut(probabilities):
        lie_together = block.strides[1] == block.itemsize
        yield start, block if lie_together else np.ascontiguousarray(block)


def _cut(numbers: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """The same as views, however the numbers lie."""
    class_major = numbers.T
    rows = max(FEWEST, min(MOST, BYTES // max(len(class_major) * class_major.itemsize, 1)))
    for start in range(0, class_major.shape[1], rows):
        yield start, class_major[:, start : start + rows]


def _by_block(measure: Measure, probabilities: Floats) -> Floats:
    out = np.empty(len(probabilities), np.float32)
    for start, block in blocks(probabilities):
        out[start : start + block.shape[1]] = measure(block)
    return out


def margin(probabilities: Floats) -> Floats:
    """1 − (best − second best). The one measure that never fell far behind random."""
    if probabilities.shape[1] == 1:
        return least_confidence(probabilities)
    if come_in_pairs(probabilities):
        return _margin_of_pairs(probabilities)
    return _by_block(_margin, probabilities)


def _margin(block: Floats) -> Floats:
    best, second = two_largest(block)
    best -= second
    return np.subtract(np.float32(1), best, out=best)


def _margin_of_pairs(probabilities: Floats) -> Floats:
    out = np.empty(len(probabilities), np.float32)
    tournament = cache(PairTournament)
    for start, pairs in _cut(probabilities.view(np.uint64)):
        best, second = tournament(*pairs.shape).two_largest(pairs)
        np.subtract(np.float32(1), best - second, out=out[start : start + len(best)])
    return out


def least_confidence(probabilities: Floats) -> Floats:
    """1 − best."""
    return _by_block(lambda block: np.float32(1) - block.max(axis=0), probabilities)


def entropy(probabilities: Floats) -> Floats:
    """Shannon entropy as a share of the largest possible one."""
    return _by_block(_entropy, probabilities)


def _entropy(block: Floats) -> Floats:
    total = np.zeros(block.shape[1], np.float32)
    for column in block:
        total -= column * np.log(np.maximum(column, TINY))
    total /= np.float32(np.log(max(len(block), 2)))
    return total


def vote_entropy(members: Floats) -> Floats:
    """Entropy of a committee's votes, as a share of the largest; ties by their mean's entropy.

    `members` is (members, rows, classes).
    """
    votes = np.stack([predicted(member) for member in members])
    out = np.zeros(members.shape[1], np.float32)
    for voter in votes:
        out -= np.log((votes == voter).mean(axis=0, dtype=np.float32))
    out /= np.float32(len(members) * np.log(max(2, min(len(members), members.shape[2]))))
    return out + np.float32(1e-3) * entropy(members.mean(axis=0))


def mutual_information(members: Floats) -> Floats:
    """What the committee's disagreement tells beyond each member's own doubt (BALD).

    `members` is (members, rows, classes).
    """
    together = entropy(members.mean(axis=0))
    alone: Floats = np.mean([entropy(member) for member in members], axis=0)
    gained: Floats = np.maximum(together - alone, np.float32(0))
    return gained


def predicted(probabilities: Floats) -> NDArray[np.int64]:
    """The most probable class of every row; the first of equals."""
    out = np.empty(len(probabilities), np.int64)
    for start, block in blocks(probabilities):
        out[start : start + block.shape[1]] = block.argmax(axis=0)
    return out


def best_first(scored: Floats, count: int, rng: np.random.Generator) -> Rows:
    """The rows of the `count` highest scores, best first, ties in an order drawn from `rng`."""
    count = min(count, len(scored))
    if count == 0:
        return np.empty(0, np.int64)
    near = _promising(scored, count)
    values = scored[near]
    bar = np.partition(values, len(values) - count)[len(values) - count]
    above, level = near[values > bar], near[values == bar]
    drawn = rng.choice(level, count - len(above), replace=False)
    chosen = np.concatenate([above, drawn])
    return chosen[np.lexsort((rng.permutation(len(chosen)), -scored[chosen]))]


def _promising(scored: Floats, count: int) -> Rows:
    """Rows among which the best `count` surely are; a few of many, by a bar from a sample."""
    sample = scored[:: max(1, len(scored) // 16_384)]
    rank = int(len(sample) * (4 * count / len(scored))) + 32
    if rank < len(sample):
        bar = np.partition(sample, len(sample) - rank)[len(sample) - rank]
        near = np.flatnonzero(scored >= bar)
        if count <= len(near):
            return near
    return np.arange(len(scored))
