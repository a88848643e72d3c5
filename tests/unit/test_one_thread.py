"""Linear algebra stays on one thread while any thread of the process wants it so."""

import threading

from threadpoolctl import ThreadpoolController, threadpool_limits

from app.core.one_thread import one_thread


def blas_threads() -> set[int]:
    found = ThreadpoolController().select(user_api="blas").info()
    return {one["num_threads"] for one in found}


def test_one_that_leaves_takes_nothing_from_one_that_stays() -> None:
    inside, leave = threading.Event(), threading.Event()

    def early() -> None:
        with one_thread():
            inside.set()
            leave.wait(10)

    with threadpool_limits(2, user_api="blas"):
        other = threading.Thread(target=early)
        other.start()
        inside.wait(10)
        with one_thread():
            leave.set()
            other.join()
            assert blas_threads() == {1}
        assert blas_threads() == {2}


def test_inside_itself_it_still_holds() -> None:
    with one_thread():
        with one_thread():
            pass
        assert blas_threads() == {1}
