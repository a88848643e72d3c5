"""The held-out figures with their intervals, and what is needed to compare two rounds later."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core import resampling
from app.core.tasks import task_type
from app.core.types import Split
from app.rounds import scoring
from app.rounds.evaluating import NO_HELD_OUT
from app.rounds.material import Material

Integers = NDArray[np.int64]


def measure(material: Material, before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """On the held-out labels as they are now: these are the yardstick, not the past."""
    del before
    split, names, ids, y = _gold(material)
    if not len(ids):
        return {"items": 0, "said": NO_HELD_OUT}
    rows = material.stored.rows_of(ids)
    view = scoring.predict(material.classifier, material.stored.matrix, rows, material.work.check)
    predicted = view.argmax(axis=1).astype(np.int64)
    classes = len(material.classifier.classes)
    accuracy = resampling.accuracy_interval(y, predicted, classes, material.seed)
    macro_f1 = resampling.macro_f1_interval(y, predicted, classes, material.seed)
    return {
        "items": len(ids),
        "split": split,
        "said": f"Accuracy on {len(ids):,} held-out items is {accuracy.value:.1%} "
        f"({accuracy.low:.1%} to {accuracy.high:.1%}).",
        "accuracy": asdict(accuracy),
        "macro_f1": asdict(macro_f1),
        "calibration": resampling.calibration_curve(y, view),
        "of": sha256("\n".join(names).encode()).hexdigest(),
        "right": packed(predicted == y),
    }


def _gold(material: Material) -> tuple[str, list[str], Integers, Integers]:
    """By external id, so that the order is the same wherever the project lies."""
    position = {name: at for at, name in enumerate(material.classifier.classes)}
    kind = task_type(material.work.project.task)
    for split in (Split.TEST, Split.VALIDATION):
        with material.work.store.transaction() as tx:
            gold = tx.items.held_out(material.work.project.id, split)
            known = [i for i in gold if kind.class_of(gold[i]) in position]
            names = {one.id: one.external_id for one in tx.items.get(known)}
        there = set(np.intersect1d(known, material.stored.item_ids).tolist())
        ids = sorted(there, key=names.__getitem__)
        if ids:
            y = np.array([position[kind.class_of(gold[i])] for i in ids], dtype=np.int64)
            return split.value, [names[i] for i in ids], np.array(ids, dtype=np.int64), y
    return "", [], np.zeros(0, np.int64), np.zeros(0, np.int64)


def packed(right: NDArray[np.bool_]) -> str:
    return b64encode(zlib.compress(np.packbits(right).tobytes())).decode()


def unpacked(text: str, items: int) -> NDArray[np.bool_]:
    bits = np.frombuffer(zlib.decompress(b64decode(text)), dtype=np.uint8)
    return np.unpackbits(bits, count=items).astype(bool)
