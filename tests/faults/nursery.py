"""Workers that are there at once: forked from a process that has imported everything already.

Run as `python -m tests.faults.nursery`; every line it reads asks for a worker, the answer is its
process id.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts workers. They are real: `rounds worker` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._workers: list[Worker] = []

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.kill()
        self._process.communicate(timeout=30)

    def worker(
        self, name: str, *, strikes: tuple[str, int] | None = None, **settings: str
    ) -> "Worker":
        """`strikes` names a point and the signal that the worker gets there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        log = self._folder / f"{name}.log"
        order = {"log": str(log), "strikes": strikes, "settings": settings}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        worker = Worker(int(self._process.stdout.readline()), log)
        self._workers.append(worker)
        return worker


class Worker:
    def __init__(self, pid: int, log: Path) -> None:
        self._pid = pid
        self._log = log

    @property
    def alive(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def asleep(self) -> bool:
        """Stopped by a signal, as the kernel has it."""
        return Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def kill(self) -> None:
        """Signal 9: no handler runs, nothing is tidied up."""
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """As when a machine is put to sleep: it knows nothing of the time that passes."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)


def main() -> None:
    # everything that a worker would load when it first needs it
    import lightgbm  # noqa: F401
    import sklearn.linear_model
    import sklearn.svm  # noqa: F401

    import app.core.models
    import app.core.strategies  # noqa: F401
    from app.cli import service

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets the dead
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_worker(order, service.worker)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _be_worker(order: dict[str, Any], work: Any) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = Path(order["log"])
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, number in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(given, number)
    os.chdir(log.parent)
    for name in [name for name in os.environ if name.startswith("ROUNDS_")]:
        del os.environ[name]
    os.environ.update({f"ROUNDS_{name.upper()}": v for name, v in order["settings"].items()})
    if order["strikes"]:
        from tests.faults.points import arm

        arm(*order["strikes"])
    try:
        work()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
