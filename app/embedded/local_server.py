"""What our own Postgres and redis have in common: one process that listens where others know it."""

from abc import ABC, abstractmethod

from app.core.errors import Unavailable
from app.embedded.processes import GuardedProcess


class LocalServer(ABC):
    """A server process on a loopback port that it keeps from one start to the next."""

    _process: GuardedProcess | None = None
    _port: int = 0

    @abstractmethod
    def start(self) -> None:
        """Start and wait until it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Stop, if it runs."""

    def restart(self) -> None:
        """After it died: start it where others know it to be."""
        port = self._port
        self.stop()
        self.start()
        if self._port != port:
            raise Unavailable(f"another program listens on port {port} now; start everything anew")

    @property
    def running(self) -> bool:
        """Whether the server process is alive."""
        return self._process is not None and self._process.running
