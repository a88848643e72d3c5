"""Arithmetic on one thread: several would sum in another order on another machine, and small
products, which are what most of ours are, only get slower."""

from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> Any:
    """A context in which linear algebra runs on one thread."""
    return _controller().limit(limits=1)


@cache
def _controller() -> ThreadpoolController:
    """Looking the libraries up reads all that the process has mapped: once is enough, when all are
    loaded. Only here, because most commands do no arithmetic and should not wait for them."""
    import numpy  # noqa: F401
    import scipy.linalg  # noqa: F401
    import sklearn  # noqa: F401

    return ThreadpoolController()
