"""From a strategy's order of preference to a batch: exact size, distinct, worth labelling."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.strategies.pool import NONE, Pool
from app.core.strategies.sieve import Sieve
from app.core.types import Rows

SLACK = 16
"""How many more than needed are looked at in one go."""
MOST_LOOKS = 20_000
"""Candidates looked at beyond twenty times the batch before what was held back is let in."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Positions in order of preference; the last `let_in` of them had been held back before."""

    positions: Rows
    held_back: Mapping[str, int]
    """How many were passed over, by cause; those let in again are not among them."""
    let_in: int = 0


def fill(pool: Pool, order: Iterator[Rows], size: int, sieve: Sieve | None = None) -> Filled:
    """The first `size` free positions of the order that the sieve lets through.

    What it holds back is let in again, in its order, only where there is nothing else. To stay
    quick in a pool of copies the search for something else ends after a bounded number of looks.
    """
    sieve = sieve or Sieve(pool)
    kept, held = NONE, NONE
    for batch in _portions(pool, order, size):
        keep = sieve.keep(batch, kept)
        looked = _looks_needed(keep, size - len(kept))
        held = np.concatenate([held, batch[:looked][~keep[:looked]]])
        kept = np.concatenate([kept, batch[:looked][keep[:looked]]])
        if len(kept) == size or len(kept) + len(held) > MOST_LOOKS + 20 * size:
            break
    let_in = held[: size - len(kept)]
    causes = sieve.causes(held[len(let_in) :])
    return Filled(np.concatenate([kept, let_in]), causes, len(let_in))


def _looks_needed(keep: NDArray[np.bool_], missing: int) -> int:
    """How far down a portion one has to go for so many that are kept."""
    found = np.flatnonzero(keep)
    return int(found[missing - 1]) + 1 if len(found) >= missing else len(keep)


def _portions(pool: Pool, order: Iterator[Rows], size: int) -> Iterator[Rows]:
    """The free positions of the order, each once, in portions fit for comparing with each other."""
    seen: NDArray[np.bool_] = np.zeros(len(pool), bool)
    for chunk in order:
        fresh = chunk[~seen[chunk]]
        seen[fresh] = True
        for start in range(0, len(fresh), size + SLACK):
            free = pool.free(fresh[start : start + size + SLACK])
            if len(free):
                yield free


def and_the_rest(pool: Pool, order: Iterator[Rows]) -> Iterator[Rows]:
    """The order, and then everything at random: a strategy may know only a part of the pool."""
    yield from order
    yield pool.chance("rest").permutation(len(pool))
