"""What is asked of an LLM and what comes back. Plain values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any


class Purpose(StrEnum):
    """What a project may allow, one by one. By default it allows none."""

    LABEL = "label"
    SELECT = "select"
    UNCERTAINTY = "uncertainty"
    WEAK_LABELS = "weak_labels"
    JUDGE = "judge"


ADVICE: Mapping[str, Purpose] = {"picks": Purpose.SELECT, "doubts": Purpose.UNCERTAINTY}
"""By what a strategy wants to be told."""


class CallOutcome(StrEnum):
    """How a call ended. Only `answered` is ever used again instead of asking."""

    ANSWERED = "answered"
    MALFORMED = "malformed"
    """It answered, but not what was asked for."""
    REFUSED = "refused"
    """The model declined."""
    FAILED = "failed"
    """Nothing came of it, and nothing was charged."""
    LOST = "lost"
    """The answer never arrived whole; booked at the most it can have cost."""


@dataclass(frozen=True, slots=True)
class Usage:
    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out)


@dataclass(frozen=True, slots=True)
class Request:
    """One structured question. `subjects` are the texts it is about, by the ids used in it."""

    prompt: str
    """Name and version, such as `label.v1`."""
    purpose: Purpose
    instructions: str
    content: str
    schema: Mapping[str, Any]
    subjects: Mapping[str, str]
    temperature: float = 0.0
    max_tokens: int = 512
    sample: int = 0
    """Which of several answers to the same question; each is an answer of its own."""

    def fingerprint(self, provider: str, model: str) -> bytes:
        """The same provider, model, prompt and content: the same question."""
        parts: Sequence[Any] = (
            provider,
            model,
            self.prompt,
            self.instructions,
            self.content,
            self.schema,
            self.temperature,
            self.max_tokens,
            self.sample,
        )
        return sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).digest()


@dataclass(frozen=True, slots=True)
class Completion:
    """What a provider said. `text` None: it declined, or left this one out; `problem` says so."""

    text: str | None
    usage: Usage = field(default_factory=Usage)
    problem: str | None = None
