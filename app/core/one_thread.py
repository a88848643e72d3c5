"""Arithmetic on one thread: several would sum in another order on another machine, and small
products, which are what most of ours are, only get slower.

A worker measures in one thread while it works on a round in another. The limit of linear algebra
is that of the whole process, so it is set by the first that enters and lifted by the last that
leaves: lifted any earlier, the sums of the other would come out different.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """A context in which linear algebra runs on one thread."""
    _linear_algebra.enter()
    try:
        # this one is each thread's own
        with _controller("openmp").limit(limits=1):
            yield
    finally:
        _linear_algebra.leave()


class _Shared:
    """A limit that holds while anybody wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                _let_any_thread_set_it()
                self._limit = _controller("blas").limit(limits=1)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _let_any_thread_set_it()
                self._limit.restore_original_limits()


_linear_algebra = _Shared()


def _let_any_thread_set_it() -> None:
    """threadpoolctl from 3.8 on lets only the thread that set a limit first set one; what others
    set would silently be none."""
    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


@cache
def _controller(kind: str) -> ThreadpoolController:
    """Looking the libraries up reads all that the process has mapped: once is enough, when all are
    loaded. Only here, because most commands do no arithmetic and should not wait for them."""
    import numpy  # noqa: F401
    import scipy.linalg  # noqa: F401
    import sklearn  # noqa: F401

    return ThreadpoolController().select(user_api=kind)
