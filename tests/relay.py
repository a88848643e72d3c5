"""A bad line: a relay in front of a server that can be cut while the server goes on working."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit


class Relay:
    """Passes bytes to a server and back, until told otherwise."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_down = False
        self._lose_every = 0
        self._replies = 0
        self.lost = 0
        """How many replies were lost on the way back."""

    def __enter__(self) -> "Relay":
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.go_down()
        for thread in self._threads:
            thread.join()

    def go_down(self) -> None:
        """As when the server is stopped: everything is cut, nothing new is taken."""
        self._is_down = True
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def come_up(self) -> None:
        self._is_down = False

    def lose_every(self, count: int) -> None:
        """Let the server work, but cut the line before every so many-th piece of a reply."""
        self._lose_every = count

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_down:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(self._target)
                except OSError:  # the server itself is away
                    client.close()
                    continue
                with self._lock:
                    self._open |= {client, server}
                self._start(self._pump, client, server, False)
                self._start(self._pump, server, client, True)

    def _pump(self, source: socket.socket, sink: socket.socket, is_reply: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if is_reply and self._is_lost():
                    break
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()

    def _is_lost(self) -> bool:
        with self._lock:
            self._replies += 1
            lost = bool(self._lose_every) and self._replies % self._lose_every == 0
            self.lost += lost
            return lost
