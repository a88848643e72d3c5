"""The values that the pure part of Rounds takes and gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
"""Row numbers into a feature matrix."""


class Split(StrEnum):
    POOL = "pool"
    VALIDATION = "validation"
    TEST = "test"


class Slice(StrEnum):
    """Why an item is in a batch at all."""

    ACTIVE = "active"
    AUDIT = "audit"
    COLD_START = "cold_start"
    DUEL = "duel"
    RELABEL = "relabel"


class Severity(StrEnum):
    NOTE = "note"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """What the texts of some items have become; row i of every part is the same item.

    `words` is word TF-IDF (1-2 grams), `counts` the unigram counts that naive Bayes needs, `dense`
    the row-normalised latent or sentence embedding used for classifying, for diversity and for
    neighbours.
    """

    words: sparse.csr_matrix
    counts: sparse.csr_matrix
    dense: Floats

    def __len__(self) -> int:
        return int(self.dense.shape[0])

    def take(self, rows: Rows) -> "FeatureMatrix":
        return FeatureMatrix(self.words[rows], self.counts[rows], self.dense[rows])

    @classmethod
    def stacked(cls, parts: "Sequence[FeatureMatrix]") -> "FeatureMatrix":
        """The rows of several, one after the other."""
        return cls(
            sparse.csr_matrix(sparse.vstack([part.words for part in parts], format="csr")),
            sparse.csr_matrix(sparse.vstack([part.counts for part in parts], format="csr")),
            np.concatenate([part.dense for part in parts]),
        )

    def between(self, begin: int, end: int) -> "FeatureMatrix":
        """Rows that lie together, without copying them."""
        words, counts = row_slice(self.words, begin, end), row_slice(self.counts, begin, end)
        return FeatureMatrix(words, counts, self.dense[begin:end])


class TakesRows(Protocol):
    """Features from which rows can be copied, wherever they lie."""

    def take(self, rows: Rows) -> FeatureMatrix: ...


class Unlabelled(TakesRows, Protocol):
    """Items without a label, for classifiers that learn from their texts too."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SomeRows:
    """Rows that nobody has read yet: who needs few of them copies few."""

    source: TakesRows
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Rows) -> FeatureMatrix:
        return self.source.take(self.rows[places])

    def copied(self) -> FeatureMatrix:
        """All of them, for who reads them again and again."""
        return self.source.take(self.rows)


def row_slice(matrix: sparse.csr_matrix, begin: int, end: int) -> sparse.csr_matrix:
    """These rows, without copying their values."""
    return csr_of(*row_parts(matrix, begin, end), matrix.shape[1])


def row_parts(
    matrix: sparse.csr_matrix, begin: int, end: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Values and columns of these rows, not copied, and where each row starts in them."""
    starts = matrix.indptr[begin : end + 1]
    inside = slice(int(starts[0]), int(starts[-1]))
    return matrix.data[inside], matrix.indices[inside], starts - starts[0]


def csr_of(
    data: NDArray[Any], indices: NDArray[Any], starts: NDArray[Any], columns: int
) -> sparse.csr_matrix:
    """The sparse matrix of these parts. Assigned, not constructed: scipy's constructor copies
    what is a small part of a larger whole."""
    matrix = sparse.csr_matrix((len(starts) - 1, columns), dtype=data.dtype)
    matrix.data, matrix.indices, matrix.indptr = data, indices, starts
    return matrix


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Labelled rows. `y` holds positions in `classes`; a class may have no example yet."""

    features: FeatureMatrix
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    weights: Floats | None = None

    def __len__(self) -> int:
        return len(self.y)


def _nothing() -> None:
    """What is in memory anyway stays there."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What an LLM says of candidates, asked before the choice. Rows are rows of the features."""

    picks: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    """Those that it would choose, the best first."""
    doubts: Mapping[int, float] = field(default_factory=dict)
    """How doubtful it is of some of them, from 0 to 1."""
    problem: str | None = None
    """Why it says nothing."""


@dataclass(frozen=True, slots=True)
class SelectionRequest:
    """All that a strategy may look at. Rows are rows of `features`.

    `candidates` are the rows that may be picked: in the pool, not labelled, not out for
    annotation, not an exact duplicate. `probabilities` has one row a candidate (None before the
    first classifier). `occupied` are the rows already labelled or pushed; picks keep away from
    near-duplicates of these.
    """

    features: FeatureMatrix
    candidates: Rows
    occupied: Rows
    batch_size: int
    seed: int
    classes: tuple[str, ...]
    probabilities: Floats | None = None
    margins: Floats | None = None
    """How torn each candidate is, where that is known already: probabilities of a large pool lie on
    disk, and a strategy that goes by this alone need not read them all."""
    committee: Floats | None = None
    """Probabilities by each member of a committee: (members, candidates, classes)."""
    boosts: Floats | None = None
    """A factor for each candidate by rules of the user's; 1 where no rule applies."""
    advice: Advice | None = None
    labelled_y: Mapping[int, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    release: Callable[[], None] = _nothing
    """Called after reading rows here and there: of features that lie on disk, what was read and all
    that lies around it need not stay in memory."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One chosen row, with everything a person needs to understand the choice."""

    row: int
    rank: int
    slice: Slice
    score: float
    reason: str
    draw_probability: float | None = None


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """Something about a selection that a person should know; a FAILURE stops the round."""

    code: str
    severity: Severity
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selection:
    """A batch. `strategy` is the versioned name that really made it, `withheld` counts by cause."""

    strategy: str
    picks: Sequence[Pick]
    findings: Sequence[HealthFinding] = ()
    withheld: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClassScore:
    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Predictions of about one confidence: how sure they were, and how often right."""

    low: float
    high: float
    items: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good predictions are against gold labels of a held-out split."""

    n: int
    accuracy: float
    macro_f1: float
    micro_f1: float
    log_loss: float
    ece: float
    per_class: Sequence[ClassScore]
    confusion: Sequence[Sequence[int]]
    classes: Sequence[str]
    calibration: Sequence[CalibrationBin] = ()
