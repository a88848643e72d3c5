"""How long choosing 100 of N takes, beside modAL, small-text and scikit-activeml.

Every contestant is handed the same ready probabilities (14 classes) and embeddings (128-d) in the
same process, with one thread. Ours is timed as a round runs it, whole: near-duplicates and outliers
held back, reasons written, health checked; theirs is the bare query.

    python -m bench.selection_speed [--sizes 10000,100000,1000000] [--peers] [--json FILE]

The peers come with `pip install modAL-python small-text scikit-activeml`; one that is not there is
left out, and said to be.
"""

import argparse
import json
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from app.core import uncertainty
from app.core.strategies import select
from app.core.types import FeatureMatrix, SelectionRequest

K, CLASSES, DIMENSIONS, LABELLED = 100, 14, 128, 200
OURS = ("margin", "margin_kcenter", "margin_diversity", "badge", "coreset", "typiclust")
LONG = 5
"""Seconds from which one run has to do."""
MILLION = 1_000_000
SLOW_BEYOND = 100_000
"""Contestants that need hours or more memory than there is beyond this size."""

Array = NDArray[np.float32]
Run = Callable[[], Any]
Row = dict[str, str | int | float]


@dataclass(frozen=True)
class Data:
    """A pool whose first rows are labelled: 14 overlapping classes, probabilities to match."""

    vectors: Array
    probabilities: Array

    @property
    def size(self) -> int:
        return len(self.probabilities)

    @property
    def pool(self) -> Array:
        return self.vectors[LABELLED:]


def make(size: int, seed: int = 0) -> Data:
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(CLASSES, DIMENSIONS)).astype(np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = chance.standard_normal((size + LABELLED, DIMENSIONS), dtype=np.float32)
    vectors /= np.sqrt(DIMENSIONS, dtype=np.float32)
    vectors += 0.6 * centres[chance.integers(0, CLASSES, len(vectors))]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    decision = 8 * vectors[LABELLED:] @ centres.T
    decision -= decision.max(axis=1, keepdims=True)
    probabilities = np.exp(decision)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Data(vectors, probabilities)


def ours(data: Data) -> Iterator[tuple[str, Run]]:
    """Row-major as everybody gets it, and class-major as our own scoring step hands it over."""
    no_words = sparse.csr_matrix((len(data.vectors), 0), dtype=np.float32)
    features = FeatureMatrix(no_words, no_words, data.vectors)
    for layout, p in (("", data.probabilities), (", class-major", _class_major(data))):
        request = SelectionRequest(
            features=features,
            candidates=np.arange(LABELLED, len(data.vectors)),
            occupied=np.arange(LABELLED),
            batch_size=K,
            seed=0,
            classes=tuple(f"class {c}" for c in range(CLASSES)),
            probabilities=p,
            labelled_y={row: row % CLASSES for row in range(LABELLED)},
        )
        yield f"Rounds margin, bare{layout}", _bare(p)
        for name in OURS:
            if not layout or name not in ("coreset", "typiclust"):
                yield f"Rounds {name}{layout}", _selecting(name, request)


def _bare(probabilities: Array) -> Run:
    """What a peer's query is: score all, name the best. No reasons, nothing held back."""
    chance = np.random.default_rng(0)
    return lambda: uncertainty.best_first(uncertainty.margin(probabilities), K, chance)


def _class_major(data: Data) -> Array:
    return np.asfortranarray(data.probabilities)


def _selecting(name: str, request: SelectionRequest) -> Run:
    return lambda: select(name, request)


class Ready:
    """A classifier that has its answers ready, for peers that want to ask one."""

    def __init__(self, data: Data) -> None:
        self._data = data

    def predict_proba(self, X: Any, **_: Any) -> Array:
        return self._data.probabilities

    def embed(self, X: Any, **_: Any) -> Array:
        return self._data.vectors


def modal(data: Data) -> Iterator[tuple[str, Run]]:
    from modAL.batch import ranked_batch
    from modAL.uncertainty import classifier_uncertainty, margin_sampling

    ready: Any = Ready(data)
    turned: Any = Ready(Data(data.vectors, _class_major(data)))
    yield "modAL margin", lambda: margin_sampling(ready, data.pool, n_instances=K)
    yield "modAL margin, class-major", lambda: margin_sampling(turned, data.pool, n_instances=K)
    if data.size <= SLOW_BEYOND:
        ready.X_training = data.vectors[:LABELLED]
        ready.on_transformed = False
        doubt = classifier_uncertainty(ready, data.pool)
        yield (
            "modAL ranked batch",
            lambda: ranked_batch(
                ready, data.pool, doubt, n_instances=K, metric="euclidean", n_jobs=1
            ),
        )


def small_text(data: Data) -> Iterator[tuple[str, Run]]:
    from small_text.query_strategies.coresets import GreedyCoreset
    from small_text.query_strategies.strategies import BreakingTies, EmbeddingKMeans

    ready = Ready(data)
    everything = np.arange(data.size)
    yield (
        "small-text BreakingTies",
        lambda: BreakingTies().query(ready, data.pool, everything, np.empty(0, int), None, n=K),
    )
    if data.size <= SLOW_BEYOND:
        both = np.arange(len(data.vectors))
        for name, strategy in (
            ("EmbeddingKMeans", EmbeddingKMeans()),
            ("GreedyCoreset", GreedyCoreset()),
        ):
            yield (
                f"small-text {name}",
                _querying(strategy, ready, data, both[LABELLED:], both[:LABELLED]),
            )


def _querying(strategy: Any, ready: Ready, data: Data, free: Any, labelled: Any) -> Run:
    embeddings = np.concatenate([data.vectors[LABELLED:], data.vectors[:LABELLED]])
    return lambda: strategy.query(
        ready, data.vectors, free, labelled, None, n=K, embeddings=embeddings
    )


def scikit_activeml(data: Data) -> Iterator[tuple[str, Run]]:
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge, CoreSet, TypiClust, UncertaintySampling
    from skactiveml.utils import MISSING_LABEL

    class Answers(SkactivemlClassifier):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

        def predict_proba(self, X: Any) -> Array:
            return (
                data.probabilities
                if len(X) == data.size
                else np.tile(data.probabilities[:1], (len(X), 1))
            )

    y = np.full(len(data.vectors), MISSING_LABEL)
    y[:LABELLED] = np.arange(LABELLED) % CLASSES
    fitted = Answers(classes=list(range(CLASSES)))
    fitted.classes_ = np.arange(CLASSES)
    asked = {"clf": fitted, "fit_clf": False, "batch_size": K}
    margin = UncertaintySampling(method="margin_sampling", random_state=0)
    yield "scikit-activeml margin", lambda: margin.query(data.vectors, y, **asked)
    yield (
        "scikit-activeml CoreSet",
        lambda: CoreSet(random_state=0).query(data.vectors, y, batch_size=K),
    )
    if data.size <= SLOW_BEYOND:
        yield (
            "scikit-activeml Badge",
            lambda: Badge(random_state=0).query(data.vectors, y, **asked),
        )
        yield (
            "scikit-activeml TypiClust",
            lambda: TypiClust(random_state=0).query(data.vectors, y, batch_size=K),
        )


def timed(run: Run, repeats: int) -> tuple[float, float]:
    """Median seconds of processor time, and the most memory that one run held, in MB.

    The first run warms up, and is the only one of a contestant that takes long.
    """
    seconds = [_seconds(run)]
    if seconds[0] < LONG:
        seconds = [_seconds(run) for _ in range(repeats)]
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return median(seconds), peak


def _seconds(run: Run) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def contestants(data: Data, with_peers: bool) -> Iterator[tuple[str, Run]]:
    yield from ours(data)
    for of_one in (modal, small_text, scikit_activeml) if with_peers else ():
        try:
            yield from of_one(data)
        except ImportError as missing:
            sys.stderr.write(f"{of_one.__name__} left out: {missing}\n")


def measured(given: argparse.Namespace) -> Iterator[Row]:
    for size in (int(size) for size in given.sizes.split(",")):
        for name, run in contestants(make(size), given.peers):
            if given.only and given.only not in name:
                continue
            seconds, peak = timed(run, given.repeats)
            sys.stdout.write(f"{name:42} {size:>9,} {seconds:9.4f} s {peak:9.1f} MB\n")
            sys.stdout.flush()
            yield {"contestant": name, "size": size, "seconds": seconds, "peak_mb": peak}


@dataclass(frozen=True)
class Promise:
    """So many times faster (below 1: at most so many times slower) than somebody at a size."""

    ours: str
    theirs: str
    size: int
    times: float

    def verdict(self, seconds: Mapping[tuple[str, int], float]) -> str:
        """A row of the table; empty if one of the two was not measured."""
        ours = seconds.get((self.ours, self.size))
        theirs = seconds.get((self.theirs, self.size))
        if ours is None or theirs is None:
            return ""
        times = theirs / ours
        met = "met" if times >= self.times else "MISSED"
        cells = (
            f"{self.size:,}", self.ours, f"{ours:.4f}", self.theirs, f"{theirs:.4f}",
            f"≥ {self.times:g}", f"{times:.3g}", met,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |\n"


PROMISES = (
    Promise("Rounds margin, bare, class-major", "modAL margin, class-major", MILLION, 5),
    Promise("Rounds margin, bare", "modAL margin", MILLION, 5),
    Promise("Rounds margin, bare", "small-text BreakingTies", MILLION, 50),
    Promise("Rounds margin_diversity, class-major", "modAL margin, class-major", MILLION, 1),
    Promise("Rounds margin_diversity", "modAL margin", MILLION, 1),
    Promise("Rounds margin_diversity", "modAL ranked batch", 100_000, 500),
    Promise("Rounds badge", "modAL margin", MILLION, 0.5),
    Promise("Rounds coreset", "scikit-activeml CoreSet", MILLION, 40),
)


def verdicts(rows: Sequence[Row]) -> str:
    """What was promised beside what was measured, in one table."""
    seconds = {(str(row["contestant"]), int(row["size"])): float(row["seconds"]) for row in rows}
    found = [promise.verdict(seconds) for promise in PROMISES]
    titles = ("N", "ours", "s", "theirs", "s", "times faster, promised", "measured", "")
    return "\n".join((f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}", "".join(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--peers", action="store_true", help="run the peers that are installed")
    parser.add_argument("--only", help="run only contestants whose name holds this")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        rows = list(measured(given))
    if given.peers:
        sys.stdout.write(f"\n{verdicts(rows)}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
