"""Texts, and which of them a round may look at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.json_values import Json
from app.core.types import Split


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    external_id: str
    fields: Mapping[str, str]
    metadata: Json
    split: Split


@dataclass(frozen=True, slots=True)
class ItemContent:
    """What the items are that need features, as far as features depend on it."""

    items: int
    pool: int
    last: int
    """The highest id, 0 if there is none."""
    fingerprint: str
    """Of ids, texts and splits: the same items, the same fingerprint."""


@dataclass(frozen=True, slots=True)
class PoolIds:
    """The record of a pool; each ascending."""

    candidates: NDArray[np.int64]
    occupied: NDArray[np.int64]
    label_ids: NDArray[np.int64]
