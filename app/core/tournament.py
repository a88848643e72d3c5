"""The two largest numbers of each item, by a tournament of its classes.

Whatever lost to another is second at best; of several equal the one that loses is second. Half of
the classes meet the other half in one step, for a step costs as much to begin as a thousand items.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats

Match = tuple[Floats, Floats, Floats]
"""One half, written over by the winners; the other half; room for the losers."""


def two_largest(block: Floats) -> tuple[Floats, Floats]:
    """(best, second) of a class-major block of two classes or more, which is left as it is."""
    half = len(block) // 2
    losers = np.empty((len(block) - 1, block.shape[1]), block.dtype)
    left = np.empty((len(block) - half, block.shape[1]), block.dtype)
    left[half:] = block[half:-half]
    np.minimum(block[:half], block[-half:], out=losers[:half])
    np.maximum(block[:half], block[-half:], out=left[:half])
    for match in _matches(left, losers[half:]):
        _play(*match)
    return left[0], losers.max(axis=0)


def come_in_pairs(probabilities: Floats) -> bool:
    """Whether two classes of an item lie together, in two pairs or more and nothing beside."""
    classes = probabilities.shape[1]
    row_major = probabilities.flags.c_contiguous and probabilities.dtype == np.float32
    return row_major and classes % 2 == 0 and classes > 2


class PairTournament:
    """The same where the classes of an item lie together: two are moved as one number of 64 bits,
    which takes two thirds of the time of moving each.

    For blocks of one size. Room, and every view of it, is made once: for each block anew it would
    cost a twentieth of the time.
    """

    def __init__(self, pairs: int, items: int) -> None:
        self._turned = np.empty((pairs, items), np.uint64)
        left = self._turned.view(np.float32)
        self._losers = np.empty((pairs - 1, 2 * items), np.float32)
        self._matches = list(_matches(left, self._losers))
        self._best = left[0]

    def two_largest(self, block: NDArray[np.uint64]) -> tuple[Floats, Floats]:
        """(best, second) of a block (pairs, items)."""
        np.copyto(self._turned, block)
        for match in self._matches:
            _play(*match)
        return _of_neighbours(self._best, self._losers.max(axis=0))


def _matches(left: Floats, losers: Floats) -> Iterator[Match]:
    """All that are to be played until `left[0]` has won."""
    while len(left) > 1:
        half = len(left) // 2
        yield left[:half], left[-half:], losers[:half]
        left, losers = left[:-half], losers[half:]


def _play(ours: Floats, theirs: Floats, losers: Floats) -> None:
    np.minimum(ours, theirs, out=losers)
    np.maximum(ours, theirs, out=ours)


def _of_neighbours(best: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Two numbers of each item lie side by side: of both together.

    Each is compared with its next, though every other time that is of another item and for nothing:
    numbers that lie together are compared many times as fast as every other number.
    """
    lower = np.maximum(second[:-1], second[1:])
    np.maximum(lower, np.minimum(best[:-1], best[1:]), out=lower)
    higher: Floats = np.maximum(best[:-1], best[1:])
    return higher[::2], lower[::2]
