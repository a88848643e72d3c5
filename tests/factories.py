"""Small things that many tests need."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import text

from app.adapters.postgres.engine import make_engine
from app.adapters.postgres.store import PostgresStore
from app.core.entities import ImportReport, Project
from app.core.importing import RowLimits
from app.rounds import importing, projects

LABELS = ("refund", "delivery", "praise")


def make_store(database_url: str) -> PostgresStore:
    return PostgresStore(make_engine(database_url, pool_size=2))


def make_project(store: PostgresStore, name: str = "shop", **settings: Any) -> Project:
    labels = settings.pop("labels", LABELS)
    task = {"type": "single_label", "labels": list(labels)}
    return projects.create_project(store, {"name": name, "task": task, **settings}, actor="test")


def import_rows(
    store: PostgresStore, rows: Iterable[Mapping[str, Any]], name: str = "shop", **options: Any
) -> ImportReport:
    numbered = ((line, row) for line, row in enumerate(rows, start=1))
    limits = options.pop("limits", RowLimits())
    return importing.import_items(store, name, numbered, limits=limits, actor="test", **options)


def items(count: int, **more: Any) -> Sequence[dict[str, Any]]:
    return [{"id": f"i{n}", "text": f"text number {n}", **more} for n in range(count)]


def all_rows(store: PostgresStore, query: str, **parameters: Any) -> list[dict[str, Any]]:
    with store.engine.connect() as connection:
        found = connection.execute(text(query), parameters).mappings().all()
    return [dict(row) for row in found]


WORDS = {
    "refund": "money back refund return charged twice bank amount paid card euros".split(),
    "delivery": "parcel late courier tracking arrived door address shipping days box".split(),
    "praise": "lovely thanks great happy perfect wonderful quality friendly fast again".split(),
}
COMMON = "the order my it was for and please about with this last week you i hello".split()


def sample_texts(count: int, seed: int, held_out: float = 0.3) -> list[dict[str, Any]]:
    """Distinct short texts of three classes whose words overlap a little."""
    rng = random.Random(seed)
    labels = list(WORDS)
    rows = []
    for n in range(count):
        label = rng.choice(labels)
        words = rng.choices(WORDS[label], k=4) + rng.choices(COMMON, k=5)
        words += rng.choices(WORDS[rng.choice(labels)], k=1)
        rng.shuffle(words)
        split = "test" if rng.random() < held_out else "train"
        text = f"{' '.join(words)} {n}"
        rows.append({"id": f"s{n}", "text": text, "label": label, "split": split})
    return rows
