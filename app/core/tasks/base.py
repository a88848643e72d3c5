"""What every task type offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Value = Mapping[str, Any]
"""An answer, keyed by question: `{"label": "refund"}`, `{"labels": ["a", "b"]}`,
`{"spans": [{"start": 0, "end": 4, "label": "person"}]}`, `{"ranking": [...]}`, `{"rating": 4}`.
Stored as it stands, so that a new task type never changes what old rows mean."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What a project asks of its annotators."""

    type: str
    labels: tuple[str, ...]
    guidelines: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the annotation tool shows it."""

    name: str
    kind: str
    title: str
    options: tuple[str, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Consensus:
    """What several answers come to. `value` is None where they do not agree enough."""

    value: Value | None
    agreement: float
    leading: Sequence[Value] = ()
    """Where there is no value: those that come nearest."""


class TaskType(Protocol):
    """One task type. Stateless; the project's labels come with the spec."""

    @property
    def type(self) -> str: ...

    def check(self, spec: TaskSpec) -> None:
        """Raise WrongInput if labels or guidelines cannot serve this task."""

    def question(self, spec: TaskSpec) -> Question: ...

    def gold_columns(self) -> Sequence[str]:
        """Names of the import columns that hold an existing answer."""

    def read_gold(self, row: Mapping[str, Any], spec: TaskSpec) -> Value | None:
        """The answer an imported row brings, None if it brings none; WrongInput if it is bad."""

    def read_answer(self, values: Mapping[str, Any], spec: TaskSpec) -> Value:
        """An annotator's answer; WrongInput if it is not one that this task can have."""

    def merge(self, values: Sequence[Value]) -> Consensus: ...

    def class_of(self, value: Value) -> str:
        """The class that a classifier learns from this answer."""

    def prediction(self, label: str) -> Value:
        """What a classifier's choice looks like as an answer."""
