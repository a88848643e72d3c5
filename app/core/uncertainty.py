"""How unsure a classifier is of each item, at the speed of memory.

Probabilities are walked class by class in blocks that stay in the processor's cache, so no array of
the pool's size is made but the scores themselves. An array laid out class-major (`order="F"`: each
class's column lies together) is read as it is; any other is turned over block by block.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats, Rows

MOST, FEWEST = 8_192, 4_096
CELLS = 2**17
"""Rows at a time, and how many of their probabilities if that leaves enough rows: half a megabyte,
so that all that is read and written for them stays in the second-level cache."""
TINY = np.float32(1e-12)

Measure = Callable[[Floats], Floats]
"""Takes a class-major block (classes, rows), gives one score a row."""


def blocks(probabilities: Floats) -> Iterator[tuple[int, Floats]]:
    """(first row, class-major block) over all rows."""
    class_major = probabilities.T
    lie_together = class_major.strides[1] == class_major.itemsize
    rows = max(FEWEST, min(MOST, CELLS // max(len(class_major), 1)))
    for start in range(0, class_major.shape[1], rows):
        block = class_major[:, start : start + rows]
        yield start, block if lie_together else np.ascontiguousarray(block)


def scores(measure: Measure, probabilities: Floats) -> Floats:
    """The measure of every row. NaN in means NaN out: it is never hidden."""
    out = np.empty(len(probabilities), np.float32)
    for start, block in blocks(probabilities):
        out[start : start + block.shape[1]] = measure(block)
    return out


def margin(block: Floats) -> Floats:
    """1 − (best − second best). The one measure that never fell far behind random."""
    if len(block) == 1:
        return least_confidence(block)
    best, second = _two_largest(block)
    best -= second
    np.subtract(np.float32(1), best, out=best)
    return best


def _two_largest(block: Floats) -> tuple[Floats, Floats]:
    """By a tournament of columns: whatever lost is second at best. Of several equal the one that
    loses is second. Half of the columns meet the other half in one step, for a step costs as much
    to begin as a thousand rows."""
    losers = np.empty((len(block) - 1, block.shape[1]), block.dtype)
    half = len(block) // 2
    np.minimum(block[:half], block[-half:], out=losers[:half])
    left = np.empty((len(block) - half, block.shape[1]), block.dtype)
    left[half:] = block[half:-half]
    np.maximum(block[:half], block[-half:], out=left[:half])
    played = half
    while len(left) > 1:
        half = len(left) // 2
        ours, theirs = left[:half], left[-half:]
        np.minimum(ours, theirs, out=losers[played : played + half])
        np.maximum(ours, theirs, out=ours)
        left, played = left[:-half], played + half
    return left[0], losers.max(axis=0)


def least_confidence(block: Floats) -> Floats:
    """1 − best."""
    doubt: Floats = np.float32(1) - block.max(axis=0)
    return doubt


def entropy(block: Floats) -> Floats:
    """Shannon entropy as a share of the largest possible one."""
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
    return out + np.float32(1e-3) * scores(entropy, members.mean(axis=0))


def mutual_information(members: Floats) -> Floats:
    """What the committee's disagreement tells beyond each member's own doubt (BALD).

    `members` is (members, rows, classes).
    """
    together = scores(entropy, members.mean(axis=0))
    alone: Floats = np.mean([scores(entropy, member) for member in members], axis=0)
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
