"""LLM services, as the server's settings name them."""

from collections.abc import Sequence
from typing import Protocol

from app.core.errors import Unavailable
from app.core.llm.entities import Completion, Request
from app.core.llm.money import Price


class AnswerLost(Unavailable):
    """The service took the request, but its answer did not arrive whole; it may be charged."""


class Provider(Protocol):
    """One model of one service, as the server's settings name it."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def price(self) -> Price: ...
    @property
    def together(self) -> int:
        """How many requests go into one call at most; they share their instructions and schema."""

    @property
    def concurrency(self) -> int:
        """How many calls may run at once."""

    @property
    def seconds(self) -> float:
        """How long one call can take at most, repeats included."""

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        """One completion a request, in the same order. What helps to repeat without being charged
        twice has been repeated.

        Raises Unavailable (nothing came of it), its kind Refused (nor would it again), or
        AnswerLost.
        """


class Providers(Protocol):
    """Those that the server's settings name."""

    def names(self) -> Sequence[str]: ...
    def get(self, name: str) -> Provider:
        """WrongInput if there is none of that name."""
