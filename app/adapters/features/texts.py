"""The texts of a project as they stream past, as often as fitting and storing need them."""

from collections.abc import Iterable, Iterator, Sequence

from app.core.errors import Unavailable
from app.ports.feature_store import Progress, TextBatches

BLOCK = 16_384
"""Rows at a time. However the caller cuts them, these cuts are the same: the fit, where it forgets
what is rare to stay in bounded memory, depends on them."""

Block = tuple[list[int], list[str]]


class TextStream:
    """Gives the texts in equal blocks and notices if they change from one pass to the next."""

    def __init__(self, batches: TextBatches, progress: Progress) -> None:
        self._batches = batches
        self._progress = progress
        self._seen: int | None = None
        self._done = 0

    def alive(self) -> None:
        """Between blocks too, where one takes long."""
        self._progress(self._done)

    @property
    def seen(self) -> int:
        """How many items there were in the last whole pass."""
        return self._seen or 0

    def texts(self) -> Iterator[list[str]]:
        """For fitting; the progress stays at 0, and so tells that the work is alive."""
        for _, texts in self._counted():
            yield texts
            self._progress(0)

    def blocks(self) -> Iterator[Block]:
        """For storing; the progress says how many items are done."""
        self._done = 0
        for ids, texts in self._counted():
            yield ids, texts
            self._done += len(ids)
            self._progress(self._done)

    def _counted(self) -> Iterator[Block]:
        seen = 0
        for ids, texts in recut(self._batches()):
            seen += len(ids)
            yield ids, texts
        if self._seen not in (None, seen):
            raise Unavailable(
                f"The items changed while features were built ({self._seen} before, {seen} now). "
                "The step is tried again."
            )
        self._seen = seen


def recut(batches: Iterable[tuple[Sequence[int], Sequence[str]]]) -> Iterator[Block]:
    """The same items in blocks of BLOCK, the last one shorter."""
    ids: list[int] = []
    texts: list[str] = []
    for more_ids, more_texts in batches:
        ids += more_ids
        texts += more_texts
        while len(ids) >= BLOCK:
            yield ids[:BLOCK], texts[:BLOCK]
            del ids[:BLOCK], texts[:BLOCK]
    if ids:
        yield ids, texts
