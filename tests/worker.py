"""A real worker in a process of its own, that can be killed."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


class WorkerProcess:
    def __init__(self, folder: Path, **settings: str) -> None:
        self._log = folder / "worker.log"
        self._folder = folder
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("ROUNDS_")},
            **{f"ROUNDS_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.RLock()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker"],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    @property
    def alive(self) -> bool:
        with self._changing:
            return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Signal 9: no handler runs, nothing is tidied up."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def replace(self) -> None:
        """Kill it and start another; nobody sees the moment in between."""
        with self._changing:
            self.kill()
            self.start()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""
