"""How many labels it takes: our defaults beside random, on the protocols of published results.

    python -m bench.labels [NAME …] [--repeats N] [--jobs N] [--keep FOLDER] [--data FOLDER]

Names: dbpedia-cold, digits, sms, s0, banking77, banking77-encoder, dbpedia, goemotions, wnut17,
long-tail; all if none is given.
Finished runs are kept in the folder and not repeated when it is started again.

Everything runs through app.simulate, and so through the core that runs projects.
"""

import json
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.bootstrap import offered_here
from app.core.models import CLASSIFIERS
from app.simulate import Experiment, Result, Row, run, table
from bench import seed_case as theirs
from bench.classifiers import items_of
from bench.parts import run_parts
from bench.showing import at_random_end, height, judged, paired, shown

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PLAIN = "svc:self_training=off"
SEED_CASE = 0.794
"""What the seed case study reached with 900 labels on dbpedia14."""
BANKING_END = 977
FIFTIES: Mapping[str, Any] = {"query_size": 50, "iterations": 10}
TWENTIES: Mapping[str, Any] = {"query_size": 20, "iterations": 10, "metric": "macro_f1"}
FEWEST_IN_THE_TAIL = 3
Lines = Generator[str, None, Result]


@dataclass(frozen=True)
class Place:
    """Where data is read and runs are kept, and how much is done."""

    data: Path
    keep: Path
    repeats: int
    jobs: int

    def file(self, name: str) -> str:
        return str(self.data / name / "data.jsonl")

    def run(self, name: str, *, jobs: int | None = None, **given: Any) -> Result:
        """An experiment, or what of it has not run yet."""
        experiment = Experiment.of({"repeats": self.repeats, **given})
        results = self.keep / f"results-{name}.json"

        def told(done: int, total: int) -> None:
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {name}: {done} of {total} runs\n")

        return run(
            experiment,
            results=results,
            jobs=jobs or self.jobs,
            offered=offered_here,
            progress=told,
        )


def dbpedia_cold(place: Place) -> Iterator[str]:
    """dbpedia14 from zero labels: 28 typical items, then 10 a round."""
    common = {"data": place.file("dbpedia14"), "seed_size": 28, "target_acc": SEED_CASE}
    ours = place.run(
        "dbpedia-cold", **common, cold_start="typiclust", strategy="default", iterations=4
    )
    yield from shown(ours)
    chance = {"strategy": "random", "iterations": 8, "repeats": min(place.repeats, 5)}
    yield from shown(place.run("dbpedia-cold-random", **common, **chance))
    (row,) = table(ours.experiment, ours.runs)
    yield judged("labels to 79.4%, median", row.labels_to_target, 30, at_most=True)
    yield judged("labels to 79.4%, worst", row.labels_to_target_worst, 40, at_most=True)
    at_60 = [height(one.curve, "accuracy", 60) for one in ours.runs]
    yield judged("accuracy at 60 labels, mean", float(np.mean(at_60)), 0.91)
    yield f"* accuracy at 60 labels, worst repeat: {min(at_60):.3f}"


def dbpedia(place: Place) -> Iterator[str]:
    """dbpedia14 from 20 random seeds."""
    yield from _guard(place, "dbpedia", data=place.file("dbpedia14"), query_size=20, iterations=10)


def seed_case(place: Place) -> Iterator[str]:
    """The seed case study: 700 random seeds, 20 rounds of 10, LightGBM as it comes, by entropy."""
    common: dict[str, Any] = {
        "data": place.file("dbpedia14"),
        "seed_size": 700,
        "target_acc": SEED_CASE,
        "repeats": min(place.repeats, 5),
    }
    CLASSIFIERS[theirs.NAME] = theirs.train  # type: ignore[index]
    # known to this process only, so one job
    yield from shown(
        place.run(
            "s0-lightgbm", jobs=1, strategy="entropy,random", classifier=theirs.NAME, **common
        )
    )
    yield from shown(place.run("s0-ours", strategy="default,random", **common))


def digits(place: Place) -> Iterator[str]:
    """Digits: 20 random seeds, batches of 10, logistic regression for all; then our classifier."""
    strategies = "random,entropy,least_confidence,coreset,typiclust,badge,margin,default"
    found = place.run("digits", data="digits", strategy=strategies, classifier="logistic")
    yield from shown(found)
    rows = {row.strategy: row for row in table(found.experiment, found.runs)}
    yield judged("labels to 90%, median", rows["default"].labels_to_target, 60, at_most=True)
    yield from _guard(place, "digits-ours", data="digits")


def sms(place: Place) -> Iterator[str]:
    """sms_spam: 20 random seeds, batches of 10 up to 300 labels, macro F1."""
    common = {"data": place.file("sms_spam"), "metric": "macro_f1"}
    found = yield from _guard(place, "sms", **common, iterations=28)
    target, row = at_random_end(found, "macro_f1")
    yield f"* random's macro F1 at 300 labels, mean: {target:.4f}"
    yield judged("labels to that, median", row.labels_to_target, 40, at_most=True)
    cold = place.run(
        "sms-cold", **common, cold_start="typiclust", strategy="default", target_acc=target
    )
    yield from shown(cold)
    (row,) = table(cold.experiment, cold.runs)
    yield judged("from zero labels: labels to that", row.labels_to_target, 40, at_most=True)


def banking77(place: Place) -> Iterator[str]:
    """banking77: 77 random seeds, batches of 50 up to 977 labels."""
    common = {"data": place.file("banking77"), "query_size": 50, "iterations": 18}
    found = yield from _guard(place, "banking77", **common, seed_size=77)
    cold = yield from _against_random(place, "banking77", found, 0.6, **common)
    yield judged("from zero labels: accuracy at 1,000", cold.final_accuracy, 0.78)


def _against_random(
    place: Place, name: str, found: Result, promised: float, **common: Any
) -> Generator[str, None, Row]:
    """With what share of them the default reaches what random does with 977 labels, from random
    seeds and from zero labels."""
    target, row = at_random_end(found, "accuracy")
    most = promised * BANKING_END
    yield f"* random's accuracy at {BANKING_END} labels, mean: {target:.4f}"
    yield judged("labels to that, median", row.labels_to_target, most, at_most=True)
    cold = place.run(
        f"{name}-cold",
        **common,
        seed_size=100,
        cold_start="typiclust",
        strategy="default",
        target_acc=target,
    )
    yield from shown(cold)
    (row,) = table(cold.experiment, cold.runs)
    yield judged("from zero labels: labels to that", row.labels_to_target, most, at_most=True)
    return row


def banking77_encoder(place: Place) -> Iterator[str]:
    """banking77 the same with sentence embeddings, by ROUNDS_EMBEDDINGS_LOCAL_MODEL."""
    if "local" not in offered_here():
        yield "Left out: ROUNDS_EMBEDDINGS_LOCAL_MODEL names no sentence-transformers model."
        return
    few = min(place.repeats, 5)  # a fit with embeddings takes several times as long
    common = {
        "data": place.file("banking77"),
        "query_size": 50,
        "iterations": 18,
        "embeddings": "local",
        "repeats": few,
    }
    found = place.run("banking77-encoder", **common, seed_size=77, strategy="default,random")
    yield from shown(found)
    points, ends = paired(found, ("default", "default"), ("random", "default"))
    yield judged("points of area against random", points, -1.0) + _ends(ends)
    yield from _against_random(place, "banking77-encoder", found, 0.4, **common)


def goemotions(place: Place) -> Iterator[str]:
    """goemotions, comments with one emotion only: 28 uneven classes, hard at few labels."""
    yield from _guard(place, "goemotions", data=_made(place, "goemotions"), **FIFTIES)


def wnut17(place: Place) -> Iterator[str]:
    """wnut17, whether a text names anything: two classes that words hardly tell, macro F1."""
    yield from _guard(place, "wnut17", data=_made(place, "wnut17"), **TWENTIES)


def long_tail(place: Place) -> Iterator[str]:
    """dbpedia14 with classes from 800 down to 8 texts in the pool, macro F1."""
    data = _written(place, "long-tail", _with_a_tail(list(items_of("dbpedia14", place.data))))
    yield from _guard(place, "long-tail", data=data, **TWENTIES)


def _made(place: Place, name: str) -> str:
    """A set whose items get a single label only on reading."""
    return _written(place, name, items_of(name, place.data))


def _written(place: Place, name: str, rows: Iterable[Mapping[str, Any]]) -> str:
    path = place.keep / f"{name}.jsonl"
    kept = [{key: row[key] for key in ("text", "label", "split")} for row in rows]
    path.write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    return str(path)


def _with_a_tail(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Of the k-th class, in a shuffled order, a share of 100^(-k/13) is kept."""
    chance = np.random.default_rng(7)
    order = chance.permutation(sorted({row["label"] for row in rows})).tolist()
    shares = {label: 100 ** (-k / (len(order) - 1)) for k, label in enumerate(order)}
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["split"], row["label"]), []).append(row)
    for (_, label), own in groups.items():
        yield from own[: max(FEWEST_IN_THE_TAIL, int(len(own) * shares[label]))]


def _guard(place: Place, name: str, **given: Any) -> Lines:
    """Defaults against random, and against the plain classifier, on the same repeats."""
    found = place.run(name, strategy="default,random", classifier=f"default,{PLAIN}", **given)
    yield from shown(found)
    for what, other in (
        ("random", ("random", "default")),
        ("the plain classifier", ("default", PLAIN)),
    ):
        points, ends = paired(found, ("default", "default"), other)
        yield judged(f"points of area against {what}", points, -1.0) + _ends(ends)
    return found


def _ends(interval: tuple[float, float] | None) -> str:
    return f" (95% interval {interval[0]:+.2f} to {interval[1]:+.2f})" if interval else ""


PARTS: Mapping[str, Callable[[Place], Iterator[str]]] = {
    "dbpedia-cold": dbpedia_cold,
    "digits": digits,
    "sms": sms,
    "s0": seed_case,
    "banking77": banking77,
    "banking77-encoder": banking77_encoder,
    "dbpedia": dbpedia,
    "goemotions": goemotions,
    "wnut17": wnut17,
    "long-tail": long_tail,
}


def main() -> None:
    run_parts("labels", __doc__ or "", PARTS, Place, data=SHARED, repeats=20, jobs=2)


if __name__ == "__main__":
    main()
