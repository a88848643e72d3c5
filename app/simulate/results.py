"""What a run comes to, and the files in which runs are kept.

While an experiment goes on, every finished run is one line of `….partial.jsonl`, on the disk before
the next begins. When all are there, they become one `….json`, in an order that does not depend on
when they finished.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """Which run of an experiment; names as they were written."""

    data: str
    strategy: str
    classifier: str
    oracle: str
    repeat: int


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant's learning curve in one repeat, with every answer it was given."""

    key: RunKey
    strategy_version: str
    classifier_version: str
    pool: int
    test: int
    label_agreement: float | None
    """Share of the oracle's answers that are the truth."""
    unanswered: int
    stopped: str | None
    """Why it ended before its last round, if it did."""
    curve: Sequence[Mapping[str, Any]]
    answers: Sequence[tuple[str, str]]
    """Item and label, in the order asked."""
    cost: float | None = None
    """Dollars that the oracle cost, if it costs any."""
    strict_agreement: float | None = None
    """The same share without forgiving how the oracle spells."""

    def summary(self) -> dict[str, Any]:
        """Without the answers, which are many."""
        rest = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("key", "curve", "answers")
        }
        return {**asdict(self.key), **rest, "curve": [dict(point) for point in self.curve]}

    def as_json(self) -> dict[str, Any]:
        return {**self.summary(), "answers": [list(answer) for answer in self.answers]}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Run":
        """From as_json."""
        key = RunKey(**{one.name: given[one.name] for one in fields(RunKey)})
        rest = {
            one.name: given[one.name]
            for one in fields(cls)
            if one.name not in ("key", "curve", "answers") and one.name in given
        }
        answers = tuple((item, label) for item, label in given["answers"])
        return cls(key=key, curve=tuple(given["curve"]), answers=answers, **rest)
