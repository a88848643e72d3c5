"""The plane in which people look at a pool."""

import numpy as np
import pytest

from app.core.projection import plane_of


def test_the_axes_are_those_along_which_the_sample_differs_most():
    rng = np.random.default_rng(0)
    cloud = rng.standard_normal((500, 6)) * [0.1, 9.0, 0.1, 0.1, 3.0, 0.1]
    plane = plane_of(cloud.astype(np.float32))
    assert np.abs(plane.axes[1, 0]) == pytest.approx(1, abs=0.01)
    assert np.abs(plane.axes[4, 1]) == pytest.approx(1, abs=0.01)
    placed = plane.place(cloud)
    assert placed.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)


def test_signs_do_not_turn():
    rng = np.random.default_rng(1)
    cloud = rng.standard_normal((50, 4)).astype(np.float32)
    assert (plane_of(cloud).axes == plane_of(cloud.copy()).axes).all()
    assert (plane_of(-cloud).axes == plane_of(cloud).axes).all()


@pytest.mark.parametrize("shape", [(1, 5), (3, 1), (2, 2)])
def test_little_is_laid_out_too(shape):
    cloud = np.ones(shape, np.float32)
    assert np.isfinite(plane_of(cloud).place(cloud)).all()
