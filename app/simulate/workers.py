"""Runs side by side on several cores. A run depends on nothing but its key and the experiment, so
its result is the same wherever and beside whatever it runs."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection

from threadpoolctl import threadpool_limits

from app.core.errors import NotFound, Unavailable
from app.rounds.encoders import NONE_OFFERED, Encoders
from app.rounds.identity import derived_seed
from app.simulate.experiment import Experiment
from app.simulate.llm import llm_oracle
from app.simulate.named import named
from app.simulate.one_run import Contestant
from app.simulate.oracles import BUILT_IN, Oracle, OracleFactory, built_in
from app.simulate.preparing import prepare
from app.simulate.results import Run, RunKey

Oracles = Mapping[str, OracleFactory]
Offered = Callable[[], Encoders]
"""Gives what there is for sentence embeddings, in whichever process it is called."""


def nothing_offered() -> Encoders:
    return NONE_OFFERED


def play(
    experiment: Experiment, key: RunKey, oracles: Oracles, offered: Offered = nothing_offered
) -> Run:
    """One run. On one thread: with more, the last bits would depend on the number of cores."""
    with threadpool_limits(limits=1):
        arena = prepare(experiment, key.data, key.repeat, offered())
        oracle = named(key.oracle)
        seed = derived_seed(arena.seed, "oracle", key.oracle)
        data = arena.data
        answering: Oracle
        if oracle.name == "llm":
            answering = llm_oracle(oracle, data, seed)
        elif oracle.name in BUILT_IN:
            answering = built_in(oracle, data.y, len(data.classes), seed)
        else:
            answering = factory_of(oracle.name, oracles)(data.classes, seed)
        return Contestant(experiment, arena, key, answering).play()


def factory_of(name: str, oracles: Oracles) -> OracleFactory:
    if name not in oracles:
        known = ", ".join(sorted({*BUILT_IN, *oracles}))
        raise NotFound(f"There is no oracle {name!r}. Known: {known}.")
    return oracles[name]


def play_all(
    experiment: Experiment,
    keys: Sequence[RunKey],
    oracles: Oracles,
    jobs: int,
    offered: Offered = nothing_offered,
) -> Iterator[Run]:
    """Runs as they finish."""
    if jobs <= 1 or len(keys) <= 1:
        yield from (play(experiment, key, oracles, offered) for key in keys)
        return
    with _executor(min(jobs, len(keys))) as executor:
        waiting = [executor.submit(play, experiment, key, oracles, offered) for key in keys]
        yield from (_result(done) for done in as_completed(waiting))


def _result(done: Future[Run]) -> Run:
    try:
        return done.result()
    except BrokenProcessPool:
        raise Unavailable(
            "A worker process was killed, perhaps for want of memory. Finished runs are kept; "
            "go on with fewer --jobs."
        ) from None


@contextmanager
def _executor(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that end at once when we are interrupted or killed.

    Each waits on a pipe of which only we hold the other end; it closes with us, however we go.
    """
    theirs, ours = Pipe(duplex=False)
    executor = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_end_with, initargs=(theirs,)
    )
    try:
        yield executor
    except BaseException:
        ours.close()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        ours.close()
        theirs.close()


def _end_with(life_line: Connection) -> None:
    def wait() -> None:
        life_line.poll(None)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ours to answer: Ctrl-C reaches all of us
    threading.Thread(target=wait, daemon=True).start()
