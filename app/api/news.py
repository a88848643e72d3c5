"""Tells open streams that something happened: one thread listens to the database for all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import structlog

from app.core.errors import RoundsError, Unavailable
from app.ports.store import Store

PAUSE = 1.0
log = structlog.get_logger()


class Bell:
    """Rings for one stream. Set from the listening thread, awaited on the event loop."""

    def __init__(self) -> None:
        self._token = anyio.lowlevel.current_token()
        self._event = anyio.Event()

    def ring(self) -> None:
        """From any thread."""
        try:
            anyio.from_thread.run_sync(self._set, token=self._token)
        except RuntimeError:  # the loop is gone, and with it whoever waited
            return

    def _set(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """True if it rang; ready to ring again."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
        rang = self._event.is_set()
        self._event = anyio.Event()
        return rang


class News:
    """Streams by project. The listening thread lives while there is a stream."""

    def __init__(self, store: Store, max_streams: int) -> None:
        self._store = store
        self._max_streams = max_streams
        self._bells: dict[Bell, int] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def check_room(self) -> None:
        """To be asked before an answer begins; afterwards it is too late to refuse."""
        if len(self._bells) >= self._max_streams:
            raise Unavailable("Too many event streams are open. Try again in a moment.")

    @contextmanager
    def of(self, project_id: int) -> Iterator[Bell]:
        """A bell that rings whenever something happens in the project."""
        bell = Bell()
        with self._lock:
            self._bells[bell] = project_id
            self._listen()
        try:
            yield bell
        finally:
            with self._lock:
                del self._bells[bell]
                if not self._bells:
                    self._stop.set()

    def _listen(self) -> None:
        if self._thread is not None and not self._stop.is_set():
            return
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=[self._stop], name="news", daemon=True
        )
        self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                for project_id in self._store.watch_events(stop):
                    self._ring(project_id)
            except RoundsError as problem:
                log.warning("news.waiting", reason=problem.message)
                stop.wait(PAUSE)

    def _ring(self, project_id: int | None) -> None:
        """None: something may have been missed, so everybody looks."""
        with self._lock:
            due = [b for b, of in self._bells.items() if project_id in (None, of)]
        for bell in due:
            bell.ring()
