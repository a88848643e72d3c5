"""Which items LLMs are asked about, what they said of them, and what they judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.llm.entities import Purpose
from app.ports.llm.account import Account


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What an LLM said of one item, in the call of that fingerprint."""

    item_id: int
    fingerprint: bytes
    value: Mapping[str, Any]
    confidence: float
    rationale: str | None = None
    as_spelled: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An LLM's answer about an item to one question."""

    item_id: int
    answer_id: int
    value: Mapping[str, Any]
    confidence: float
    rationale: str | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """An LLM's newest answer about an item."""

    item_id: int
    value: Mapping[str, Any]
    confidence: float
    rationale: str | None


@dataclass(frozen=True, slots=True)
class Both:
    """An item that a person has labelled and an LLM has answered about."""

    item_id: int
    person: Mapping[str, Any]
    llm: Mapping[str, Any]
    confidence: float
    as_spelled: str | None


@dataclass(frozen=True, slots=True)
class NewJudgement:
    """Figures that an LLM had a part in. They never stand among those that people made."""

    kind: str
    """Begins with `judged_`, so that nobody takes them for others, wherever they are shown."""
    provider: str
    model: str
    prompt: str
    items: int
    figures: Mapping[str, Any]


class LlmAnswers(Protocol):
    """Which items may be asked about, and what came of it."""

    def round_items(self, round_id: int) -> Sequence[int]: ...
    def unlabelled(self, project_id: int, item_ids: Sequence[int]) -> Mapping[int, int | None]:
        """Of these the pool items without a label and in no audit slice, each with the retracted
        label it would follow."""

    def predictions(self, round_id: int) -> Mapping[int, Mapping[str, Any]]:
        """What the classifier thought of a round's items when it chose them."""

    def labelled_by_people(self, project_id: int) -> Sequence[int]: ...
    def add(self, account: Account, answers: Sequence[NewAnswer]) -> None:
        """What was said in calls that are booked; what is kept already stays as it is."""

    def said(
        self, project_id: int, purpose: Purpose, fingerprints: Sequence[bytes]
    ) -> Sequence[Said]:
        """Its answers about items to these very questions."""

    def opinions(
        self, project_id: int, purpose: Purpose, provider: str, model: str
    ) -> Sequence[Opinion]: ...
    def both(
        self, project_id: int, purpose: Purpose, provider: str, model: str
    ) -> Sequence[Both]: ...
    def add_judgement(self, project_id: int, one: NewJudgement) -> None: ...
    def judgements(self, project_id: int) -> Sequence[Mapping[str, Any]]: ...
