"""Whoever turns texts into sentence embeddings: a program here, or a service elsewhere."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.core.types import Floats


class Encoder(Protocol):
    """Equal texts give equal rows, whatever texts they come with."""

    @property
    def name(self) -> str:
        """Stands in the names of features: another model, another name. Known without loading."""

    @property
    def sends_to(self) -> str | None:
        """The host that is told the texts; None if they stay on this machine."""

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str], alive: Callable[[], None]) -> Floats:
        """A row of length one for each text, of zeros for a blank one.

        `alive` is called again and again; what it raises ends the work, and what is done is kept.
        Raises Unavailable, or Refused if asking again will not help.
        """
