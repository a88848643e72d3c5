"""How good the classifiers are with few labels, how honest, and how long a fit takes.

Labels are drawn at random from the training split; the rest of it is the unlabelled pool; figures
are means over repeats on the data's own test split. A name beginning with "skewed:" leaves of class
k (in a shuffled order) a share of 1/k^0.8, so that some classes are rare.

    python -m bench.classifiers [--sets dbpedia14,skewed:banking77] [--classifiers svc.v2,plain]
                                [--repeats 5] [--labels 28,100] [--noise 0.2] [--json FILE]

"plain" is the default classifier with self-training switched off. goemotions counts with the items
that have exactly one label, wnut17 with the question whether an item names anything at all.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.evaluation import evaluate
from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import resolve_classifier, train
from app.core.types import FeatureMatrix, TrainingSet

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LABELS = {
    "dbpedia14": (28, 50, 100, 200, 500),
    "sms_spam": (28, 50, 100, 200, 500),
    "banking77": (100, 200, 500, 1000),
    "goemotions": (50, 100, 500, 1000),
    "wnut17": (50, 100, 500, 1000),
}
LARGEST = 15_000
Integers = NDArray[np.int64]
Row = dict[str, str | int | float]


@dataclass(frozen=True)
class Split:
    features: FeatureMatrix
    y: Integers

    def take(self, rows: Integers) -> "Split":
        return Split(self.features.take(rows), self.y[rows])


@dataclass(frozen=True)
class Data:
    pool: Split
    test: Split
    classes: tuple[str, ...]


def load(name: str) -> Data:
    """Features fitted on the pool; classes skewed if the name asks for it."""
    skewed, _, plain = name.rpartition(":")
    items = list(items_of(plain))
    pool = [item for item in items if item["split"] == "train"][:LARGEST]
    test = [item for item in items if item["split"] == "test"]
    classes = tuple(sorted({item["label"] for item in items}))
    texts = [item["text"] for item in pool]
    featuriser = fit_featuriser(lambda: [texts], DEFAULT_RECIPE, seed=0)

    def split(rows: Sequence[dict[str, Any]]) -> Split:
        y = np.array([classes.index(item["label"]) for item in rows], dtype=np.int64)
        return Split(featuriser.transform([item["text"] for item in rows]), y)

    data = Data(split(pool), split(test), classes)
    return Data(skew(data.pool), skew(data.test), classes) if skewed else data


def items_of(name: str, data: Path = DATA) -> Iterator[dict[str, Any]]:
    path = next((data / name).glob("data.jsonl*"))
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if "spans" in item:
                item["label"] = "names something" if item["spans"] else "names nothing"
            if len(item.get("labels", ())) == 1:
                item["label"] = item["labels"][0]
            if "label" in item:
                yield item


def skew(split: Split, power: float = 0.8, least: int = 12) -> Split:
    """Fewer and fewer of each class, in a shuffled order of the classes."""
    chance = np.random.default_rng(7)
    found = np.bincount(split.y)
    shares = found.max() / (1 + chance.permutation(len(found))) ** power
    kept = [
        chance.permutation(np.flatnonzero(split.y == k))[: max(least, int(shares[k]))]
        for k in range(len(found))
    ]
    return split.take(np.sort(np.concatenate(kept)))


def run(data: Data, classifier: str, labels: int, repeat: int, noise: float) -> Row:
    """One fit on a random draw of labels."""
    chance = np.random.default_rng(repeat)
    order = chance.permutation(len(data.pool.y))
    rows, rest = order[:labels], np.sort(order[labels:])
    y = data.pool.y[rows].copy()
    wrong = chance.random(labels) < noise
    y[wrong] = chance.integers(0, len(data.classes), int(wrong.sum()))
    name, options = (classifier, {})
    if classifier == "plain":
        name, options = "default", {"self_training": "off"}
    training = TrainingSet(data.pool.features.take(rows), y, data.classes)
    unlabelled = data.pool.features.take(rest)
    begin = time.process_time()
    fitted = train(
        resolve_classifier(name), training, unlabelled=unlabelled, seed=repeat, options=options
    )
    seconds = time.process_time() - begin
    found = evaluate(data.test.y, fitted.predict_proba(data.test.features), data.classes)
    return {
        "accuracy": found.accuracy,
        "macro_f1": found.macro_f1,
        "ece": found.ece,
        "log_loss": found.log_loss,
        "scale": fitted.report["scale"],
        "self_trained": float(fitted.report.get("chosen") == "self_trained"),
        "seconds": seconds,
    }


def main() -> None:
    options = arguments()
    rows: list[Row] = []
    sys.stdout.write(f"| set | labels | {' | '.join(COLUMNS)} |\n")
    sys.stdout.write(f"|{'---|' * (len(COLUMNS) + 2)}\n")
    for name in options.sets.split(","):
        data = load(name)
        wanted = options.labels or ",".join(map(str, LABELS[name.rpartition(":")[2]]))
        for labels in map(int, wanted.split(",")):
            for classifier in options.classifiers.split(","):
                runs = [
                    run(data, classifier, labels, repeat, options.noise)
                    for repeat in range(options.repeats)
                ]
                means = {key: float(np.mean([one[key] for one in runs])) for key in runs[0]}
                rows.append({"set": name, "labels": labels, "classifier": classifier, **means})
                sys.stdout.write(_line(rows[-1]) + "\n")
                sys.stdout.flush()
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))


COLUMNS = (
    "classifier",
    "accuracy",
    "macro_f1",
    "ece",
    "log_loss",
    "scale",
    "self_trained",
    "seconds",
)


def _line(row: Row) -> str:
    shown = [row[key] for key in ("set", "labels", *COLUMNS)]
    return f"| {' | '.join(f'{x:.3f}' if isinstance(x, float) else str(x) for x in shown)} |"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(LABELS))
    parser.add_argument("--classifiers", default="plain,svc.v2,logistic.v1,lightgbm.v1")
    parser.add_argument("--labels", default="")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
