"""What people tell a strategy about items: rules that raise some, a list to begin with."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from app.core.entities import Item
from app.core.heuristics import boosts
from app.core.importing import classifier_text
from app.core.types import Floats
from app.ports.feature_store import StoredFeatures
from app.ports.store import ItemIds
from app.rounds.work import Work

AT_A_TIME = 2_000


def boosts_of(work: Work, candidates: ItemIds) -> Floats | None:
    """The factor of each candidate by the project's rules; None where there are none."""
    rules = work.round.settings.strategy_options.get("rules")
    if not rules:
        return None
    names = work.round.settings.fields
    items = _items(work, candidates)
    return boosts(((classifier_text(one.fields, names), one.metadata) for one in items), rules)


def _items(work: Work, ids: ItemIds) -> Iterator[Item]:
    for start in range(0, len(ids), AT_A_TIME):
        work.check()
        with work.store.transaction() as tx:
            found = tx.items.get(ids[start : start + AT_A_TIME].tolist())
        yield from found


def options_of(work: Work, stored: StoredFeatures) -> Mapping[str, Any]:
    """The strategy's options, with rows in place of the items that an expert named. Names that no
    item has are passed over: the selection says how many were found."""
    options = dict(work.round.settings.strategy_options)
    if named := options.pop("expert_items", None):
        with work.store.transaction() as tx:
            ids = np.array(tx.items.named(work.project.id, named), np.int64)
        known = ids[np.isin(ids, stored.item_ids)]
        options["expert_rows"] = stored.rows_of(known).tolist()
    return options
