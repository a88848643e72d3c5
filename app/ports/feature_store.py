"""Texts become features once; the store keeps them in files that Postgres can rebuild."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.features import Featuriser
from app.core.types import FeatureMatrix, Rows
from app.ports.encoder import Encoder

TextBatches = Callable[[], Iterable[tuple[Sequence[int], Sequence[str]]]]
"""Gives (item ids ascending, texts) in batches; may be called more than once."""
Transformer = Callable[[Sequence[str]], FeatureMatrix]
Progress = Callable[[int], None]
"""Told how many items are stored by now: 0, again and again, while fitting."""


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    version: str
    recipe: str
    items: int
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What stored features were made of."""

    fitted_on: int
    """Items on whose texts they were fitted; the others were only transformed."""
    last_item: int
    """The highest id; 0 if there is none."""
    source: str | None
    """As it was given: what the items were, in one short text."""
    dimensions: int
    """Columns of the dense part."""


class StoredFeatures(Protocol):
    """Features of every item of a project, memory-mapped; row i belongs to item_ids[i]."""

    @property
    def version(self) -> str: ...

    @property
    def item_ids(self) -> NDArray[np.int64]: ...

    @property
    def matrix(self) -> FeatureMatrix: ...

    def rows_of(self, item_ids: NDArray[np.int64]) -> Rows:
        """Rows of these items; NotFound if one has no features."""

    def take(self, rows: Rows) -> FeatureMatrix:
        """Copies of these rows, however far apart they lie, in little more memory than they need;
        `matrix.take` would leave all that lies around them in memory as well."""

    def release(self) -> None:
        """What was read need not stay in memory; reading it again brings it back. Whoever walks
        over all rows says so now and then, and so needs no more memory for more of them; a store
        may keep what is small."""


class FeatureStore(Protocol):
    def recipe(self, encoder: Encoder | None) -> str:
        """The name of what `build` would make now."""

    def build(
        self,
        project: str,
        batches: TextBatches,
        *,
        seed: int,
        progress: Progress,
        fit_on: TextBatches | None = None,
        source: str | None = None,
        encoder: Encoder | None = None,
    ) -> FeatureInfo:
        """Fit and store; the same texts, recipe and seed give the same version. Kill-safe.

        `fit_on` are the texts to learn words and directions from, all of them if not given.
        `source` says what the items are, to be told apart later; it is part of the version.
        `encoder` gives the sentence embeddings that stand beside the rest.
        """

    def append(
        self,
        info: FeatureInfo,
        batches: TextBatches,
        *,
        progress: Progress,
        source: str | None = None,
        encoder: Encoder | None = None,
    ) -> FeatureInfo:
        """A version with further items, whose ids are above all stored ones; nothing is fitted.

        The old version stays as it is: rounds that used it can be replayed. Kill-safe.
        `encoder` must be the one that it was built with.
        """

    def featuriser(self, info: FeatureInfo) -> Featuriser:
        """What made these features. ArtefactDamaged if the files are not those recorded."""

    def transformer(self, info: FeatureInfo, encoder: Encoder | None = None) -> Transformer:
        """Makes the same features of texts that come later, and stores nothing."""

    def adopt(self, project: str, featuriser: Featuriser, *, recipe: str) -> FeatureInfo:
        """A version without items, of a featuriser that was fitted elsewhere."""

    def origin(self, info: FeatureInfo) -> Origin:
        """ArtefactDamaged if the files are not those recorded."""

    def remove(self, project: str) -> None:
        """Every version of a project's features."""

    def verify(self, info: FeatureInfo) -> None:
        """ArtefactDamaged unless every byte is the one recorded. Reads all of it."""

    def open(self, info: FeatureInfo) -> StoredFeatures:
        """ArtefactDamaged if the files are not those recorded."""
