"""Exactly one label an item."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import WrongInput
from app.core.tasks.base import Consensus, Question, TaskSpec, Value

MOST_LABELS = 500  # Argilla's own limit for a label question
LONGEST_LABEL = 200


class SingleLabel:
    """Single-label classification."""

    type = "single_label"
    name = "label"

    def check(self, spec: TaskSpec) -> None:
        labels = spec.labels
        if not 2 <= len(labels) <= MOST_LABELS:
            raise WrongInput(
                f"A single-label task needs 2 to {MOST_LABELS} labels; {len(labels)} given.",
                field="task.labels",
            )
        if repeated := [name for name, count in Counter(labels).items() if count > 1]:
            raise WrongInput(f"Labels given twice: {', '.join(repeated)}.", field="task.labels")
        for label in labels:
            if not label.strip() or label != label.strip() or len(label) > LONGEST_LABEL:
                raise WrongInput(
                    f"Label {label[:60]!r} is empty, has blanks at its ends, or is longer than "
                    f"{LONGEST_LABEL} characters.",
                    field="task.labels",
                )
            if "\x00" in label:
                raise WrongInput("A label holds a NUL character.", field="task.labels")

    def question(self, spec: TaskSpec) -> Question:
        return Question(name=self.name, kind="label", title="Label", options=spec.labels)

    def gold_columns(self) -> Sequence[str]:
        return (self.name,)

    def read_gold(self, row: Mapping[str, Any], spec: TaskSpec) -> Value | None:
        label = row.get(self.name)
        if label is None or label == "":
            return None
        return self._checked(label, spec)

    def read_answer(self, values: Mapping[str, Any], spec: TaskSpec) -> Value:
        if self.name not in values:
            raise WrongInput("The answer has no label.", field=self.name)
        return self._checked(values[self.name], spec)

    def merge(self, values: Sequence[Value]) -> Consensus:
        """Majority; a tie is no consensus."""
        counts = Counter(str(value[self.name]) for value in values).most_common()
        if not counts:
            return Consensus(None, 0.0)
        votes = counts[0][1]
        leading = [self.prediction(label) for label, count in counts if count == votes]
        alone = leading[0] if len(leading) == 1 else None
        return Consensus(alone, votes / len(values), leading)

    def class_of(self, value: Value) -> str:
        return str(value[self.name])

    def prediction(self, label: str) -> Value:
        return {self.name: label}

    def _checked(self, label: object, spec: TaskSpec) -> Value:
        # a label column read from CSV or Parquet may hold numbers
        if isinstance(label, bool) or not isinstance(label, str | int):
            raise WrongInput(f"A label must be text, not {type(label).__name__}.", field=self.name)
        if str(label) not in spec.labels:
            raise WrongInput(
                f"Unknown label {str(label)[:60]!r}: not one of the project's "
                f"{len(spec.labels)} labels.",
                field=self.name,
            )
        return self.prediction(str(label))
