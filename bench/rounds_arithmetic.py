"""What a round computes, on one thread: fit on 1,000 labels, score the pool from the feature
store, pick 100.

    python -m bench.rounds_arithmetic [--sizes 100000,1000000] [--repeats 7] [--keep FOLDER]

The texts are made up: 14 classes, 12 words each out of 50,000 by Zipf's law, of which every class
prefers some. Features are built once by the product's own store and kept in the folder. Beyond a
million they are those of the first million again, each time with every word exchanged for another
about as frequent and with noise on the vectors. Each size and classifier is measured in a fresh
process, after one round to warm up; seconds are of processor time, so that a busy machine changes
little, with wall time beside them.
"""

import argparse
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from json import dumps, loads
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from app.adapters.features import LocalFeatureStore
from app.adapters.features.parts import PartsWriter, item_ids, read_parts, shapes_of
from app.adapters.features.stored import MappedFeatures
from app.adapters.files import LocalFiles
from app.core.models import train
from app.core.strategies import DEFAULT, select_round
from app.core.types import FeatureMatrix, SelectionRequest, SomeRows, TrainingSet
from app.ports.feature_store import FeatureInfo
from app.rounds.scoring import Scores, score_rows
from app.rounds.training import MOST_UNLABELLED

CLASSES, WORDS, LENGTH, OWN = 14, 50_000, 12, 0.25
LABELS, BATCH = 1_000, 100
AT_A_TIME, MILLION = 50_000, 1_000_000
VARIANTS = ("off", "auto", "on")
WANTED = {"off": 0.5, "auto": 1.5, "on": 1.5}
"""Seconds promised at a million items, without and with self-training."""

COLUMNS = (
    "items", "self-training", "fit s", "score s", "pick s", "all s", "wall s", "peak MB",
    "anonymous MB",
)  # fmt: skip


def classes_of(size: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, CLASSES, size)


def texts(size: int) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
    """The same for the same size; more of them begin with the same ones."""
    frequency = 1 / np.arange(1, WORDS + 1)
    often = np.cumsum(frequency / frequency.sum())
    names = np.array([f"w{number:x}" for number in range(WORDS)])
    y = classes_of(size)
    for start in range(0, size, AT_A_TIME):
        chance = np.random.default_rng([2, start])
        own = y[start : start + AT_A_TIME]
        words = np.searchsorted(often, chance.random((len(own), LENGTH)))
        special = 200 + CLASSES * np.searchsorted(often, chance.random(words.shape)) + own[:, None]
        words = np.where(chance.random(words.shape) < OWN, special % WORDS, words)
        ids = range(start, start + len(own))
        yield ids, [" ".join(row) for row in names[np.minimum(words, WORDS - 1)]]


@cache
def store_in(keep: Path) -> LocalFeatureStore:
    """One a process, as a worker has it."""
    return LocalFeatureStore(keep / "features")


def opened(size: int, keep: Path) -> MappedFeatures:
    """The features of so many items, built if they are not there."""
    first = store_in(keep).open(stored(min(size, MILLION), keep))
    if size <= MILLION:
        return first
    folder, shapes = keep / f"repeated-{size}", shapes_of(first.matrix)
    if not folder.exists():
        fresh = folder.with_suffix(".tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        _repeat(first, size, PartsWriter.new(fresh, first.take(np.zeros(0, np.int64))))
        fresh.rename(folder)
    return MappedFeatures(folder.name, item_ids(folder), read_parts(folder, shapes))


def _repeat(first: MappedFeatures, size: int, writer: PartsWriter) -> None:
    for begin in range(0, size, AT_A_TIME):
        time_around, row = divmod(begin, MILLION)
        items = first.matrix.between(row, min(row + AT_A_TIME, row + size - begin))
        ids = range(begin, begin + len(items))
        writer.append(ids, _other_words(items, time_around) if time_around else items)
        first.release()
    writer.close()


def _other_words(items: FeatureMatrix, number: int) -> FeatureMatrix:
    """Columns are numbered by the alphabet: a neighbour is a word like any other."""
    noise = np.random.default_rng(number).standard_normal(items.dense.shape, dtype=np.float32)
    dense = items.dense + np.float32(0.03) * noise
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    return FeatureMatrix(_exchanged(items.words, number), _exchanged(items.counts, number), dense)


def _exchanged(words: csr_matrix, number: int) -> csr_matrix:
    """Every column for one nearby, another for every number below 16."""
    inside = (words.indices | 15) < words.shape[1]
    indices = np.where(inside, words.indices ^ number, words.indices)
    other = csr_matrix((words.data.copy(), indices, words.indptr), shape=words.shape)
    other.sort_indices()
    return other


def stored(size: int, keep: Path) -> FeatureInfo:
    """Features of so many texts, built if they are not there."""
    note = keep / f"arithmetic-{size}.json"
    if not note.exists():
        started = time.process_time()
        info = store_in(keep).build(
            f"made-up-{size}", lambda: texts(size), seed=0, progress=_silent
        )
        seconds = time.process_time() - started
        sys.stdout.write(f"{size:,} texts featurised in {seconds:.0f} s of processor time\n")
        note.write_text(dumps(asdict(info)))
    return FeatureInfo(**loads(note.read_text()))


def _silent(done: int) -> None:
    """Nobody watches."""


def _nobody_asks() -> None:
    """There is no lease to lose."""


@dataclass(frozen=True)
class Seconds:
    fit: float
    score: float
    pick: float
    wall: float

    @property
    def all(self) -> float:
        return self.fit + self.score + self.pick


def one_round(size: int, keep: Path, self_training: str) -> Seconds:
    """As the steps of a round do it, without the database: each opens the features for itself."""
    y = classes_of(size)
    labelled = np.sort(np.random.default_rng(3).choice(size, LABELS, replace=False))
    free = np.ones(size, bool)
    free[labelled] = False
    candidates = np.flatnonzero(free)
    wall, start = time.perf_counter(), time.process_time()
    features = opened(size, keep)
    rest = np.sort(
        np.random.default_rng(4).choice(candidates, min(MOST_UNLABELLED, len(candidates)), False)
    )
    classifier = train(
        "default",
        TrainingSet(
            features.take(labelled), y[labelled], tuple(f"class {c}" for c in range(CLASSES))
        ),
        unlabelled=SomeRows(features, rest),
        seed=0,
        options={"self_training": self_training},
    )
    fitted = time.process_time()
    files, features = LocalFiles(keep / "files"), opened(size, keep)
    table = score_rows(files, classifier, features, candidates, _nobody_asks)
    scored = time.process_time()
    scores, features = Scores(candidates, table), opened(size, keep)
    request = SelectionRequest(
        features=features.matrix,
        candidates=candidates,
        occupied=labelled,
        batch_size=BATCH,
        seed=0,
        classes=classifier.classes,
        probabilities=scores.probabilities,
        margins=scores.margins(),
        release=features.release,
        labelled_y=dict(zip(labelled.tolist(), y[labelled].tolist(), strict=True)),
    )
    picks = select_round(DEFAULT, request, audit_fraction=0.2).picks
    assert len(picks) == BATCH  # noqa: S101 - a shorter batch would be no measurement
    done = time.process_time()
    return Seconds(fitted - start, scored - fitted, done - scored, time.perf_counter() - wall)


def measure(keep: Path, size: int, self_training: str, repeats: int) -> dict[str, Any]:
    """Medians over rounds in this process, and its peak memory."""
    with threadpool_limits(1):
        one_round(size, keep, self_training)
        rounds = [one_round(size, keep, self_training) for _ in range(repeats)]
    parts: dict[str, Callable[[Seconds], float]] = {
        "fit": lambda one: one.fit,
        "score": lambda one: one.score,
        "pick": lambda one: one.pick,
        "all": lambda one: one.all,
        "wall": lambda one: one.wall,
    }
    found: dict[str, Any] = {name: median(map(get, rounds)) for name, get in parts.items()}
    found["resident_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    found["anonymous_mb"] = _anonymous_mb()
    return found


def _anonymous_mb() -> float:
    """Memory that is not a view of a file, now."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in status if line.startswith("RssAnon"))


def _in_a_fresh_process(*given: Any) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(measure, *given).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="100000,1000000")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--keep", type=Path, default=Path("bench-out"))
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"| {' | '.join(COLUMNS)} | |\n|{'---|' * (len(COLUMNS) + 1)}\n")
    for size in (int(one) for one in given.sizes.split(",")):
        opened(size, given.keep)
        for variant in VARIANTS:
            found = _in_a_fresh_process(given.keep, size, variant, given.repeats)
            cells = [f"{found[key]:.3f}" for key in ("fit", "score", "pick", "all", "wall")]
            cells += [f"{found[key]:.0f}" for key in ("resident_mb", "anonymous_mb")]
            verdict = ""
            if size == MILLION:
                met = found["all"] <= WANTED[variant] and found["resident_mb"] < 1_000
                verdict = f"≤ {WANTED[variant]} s, < 1 GB: {'met' if met else 'MISSED'}"
            sys.stdout.write(f"| {size:,} | {variant} | {' | '.join(cells)} | {verdict} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
