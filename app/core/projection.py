"""A pool laid out in two dimensions, to be looked at; nothing is computed from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.one_thread import one_thread
from app.core.types import Floats

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plane:
    """The two directions in which a sample differs most, seen from its middle."""

    middle: Reals
    axes: Reals

    def place(self, dense: Floats) -> Reals:
        """(item, 2)"""
        with one_thread():
            return (dense.astype(np.float64) - self.middle) @ self.axes


def plane_of(dense: Floats) -> Plane:
    """The first two principal axes; the same sample gives the same ones, signs included."""
    sample = dense.astype(np.float64)
    middle = sample.mean(axis=0)
    with one_thread():
        _, vectors = np.linalg.eigh((sample - middle).T @ (sample - middle))
    axes = np.zeros((sample.shape[1], 2))
    found = vectors[:, ::-1][:, :2]
    axes[:, : found.shape[1]] = found
    largest = np.abs(axes).argmax(axis=0)
    signs = np.sign(axes[largest, np.arange(2)])
    return Plane(middle, axes * np.where(signs == 0, 1, signs))
