"""Classes of which nobody has labelled an example yet."""

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats


def unseen_mass(counts: NDArray[np.int64], classes: int) -> float:
    """What all classes without an example get together, from the counts of those with one.

    The rule of succession gives a class never met in n labels 1 / (n + number of classes). That is
    too little while many of the met ones were met only once (Good and Turing: as many as these are
    probably still to come); but no unmet class shall outweigh the average met one.
    """
    unseen = classes - len(counts)
    once = int((counts == 1).sum())
    if not unseen:
        return 0.0
    return min((unseen + once) / (int(counts.sum()) + classes), unseen / (classes + 1))


def spread(scores: Floats, seen: NDArray[np.int64], mass: float, classes: int) -> Floats:
    """From probabilities of the seen classes (class, row) to those of all."""
    if len(seen) == classes:
        return scores
    out = np.full((classes, scores.shape[1]), mass / (classes - len(seen)), dtype=np.float32)
    out[seen] = scores * np.float32(1 - mass)
    return out
