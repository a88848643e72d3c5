"""Do the intervals shown while a project runs hold what they say?

Plays whole projects with the product's own core: a random pool of 3,000 items, a cold start, then
rounds of 20 of which a fifth is the audit. After 12, 20, 40 and 80 audits accuracy is estimated and
compared with the truth, which only a benchmark knows; at 80 the duel against random is fought and
the gain forecast and then awaited. Nominal 95% must cover in at least 93% of projects.

    python -m bench.coverage [--sets sms_spam,dbpedia14,banking77] [--projects 300] [--first 0]
                             [--self-training off|on] [--no-forecast]

Finished projects are kept in bench-out and not played again; several may run side by side.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from app.core.estimation import (
    AccuracyEstimate,
    Checks,
    Forecast,
    Interval,
    Judged,
    Rest,
    cross_fit,
    estimate_accuracy,
    forecast_gain,
    judge_duel,
    past_sizes,
)
from app.core.estimation.audit import ACTIVE_FOLDS, AUDIT_FOLDS
from app.core.estimation.crossfit import judge
from app.core.estimation.duel import LABELS_FOR_A_DUEL
from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import TrainedClassifier, train
from app.core.strategies import cold_start, select_round
from app.core.types import Rows, SelectionRequest, Slice, TrainingSet
from app.rounds.identity import derived_seed
from bench.classifiers import Split, items_of

OUT = Path("bench-out") / "coverage"
POOL = 3_000
BATCH = 20
AUDIT_SHARE = 0.2
LOOKS = (12, 20, 40, 80)
FACTORS = (1.5, 2.0)
SETS = ("sms_spam", "dbpedia14", "banking77", "goemotions", "wnut17")
WANTED = 0.93


@dataclass
class Project:
    """One simulated project on a random pool of a set."""

    data: Split
    classes: tuple[str, ...]
    pool: Rows
    others: Rows
    seed: int
    self_training: str
    rows: list[int] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)

    def play(self, audits: int) -> None:
        """Rounds until so many audits are there."""
        while self.count(Slice.AUDIT) < audits:
            number = max(self.rounds, default=0) + 1
            request = self._request(number)
            chosen = (
                cold_start(request)
                if number == 1
                else select_round("default", request, audit_fraction=AUDIT_SHARE)
            )
            for pick in chosen.picks:
                self.rows.append(pick.row)
                self.slices.append(pick.slice)
                self.rounds.append(number)

    def count(self, kind: Slice) -> int:
        return sum(one == kind for one in self.slices)

    def of(self, kind: Slice) -> Rows:
        """Positions in the order of labelling."""
        return np.flatnonzero([one == kind for one in self.slices])

    @property
    def left(self) -> Rows:
        return np.setdiff1d(self.pool, self.rows)

    def training(self, positions: Rows | None = None) -> TrainingSet:
        rows = np.array(self.rows, np.int64)
        rows = rows if positions is None else rows[positions]
        return TrainingSet(self.data.features.take(rows), self.data.y[rows], self.classes)

    def fit(self, training: TrainingSet) -> TrainedClassifier:
        return train(
            "default",
            training,
            unlabelled=None if self.self_training == "off" else self._unlabelled,
            seed=self.seed,
            options={"self_training": self.self_training},
        )

    @property
    def _unlabelled(self) -> Any:
        return self.data.features.take(self.left)

    def judged(self, classifier: TrainedClassifier, rows: Rows) -> Judged:
        return judge(classifier, self.data.features.take(rows), self.data.y[rows])

    def _request(self, number: int) -> SelectionRequest:
        left, labelled = self.left, np.array(sorted(self.rows), np.int64)
        probabilities = None
        if number > 1:
            classifier = self.fit(self.training())
            probabilities = classifier.predict_proba(self.data.features.take(left))
        return SelectionRequest(
            features=self.data.features,
            candidates=left,
            occupied=labelled,
            batch_size=BATCH,
            seed=derived_seed(self.seed, "round", number),
            classes=self.classes,
            probabilities=probabilities,
            labelled_y={row: int(self.data.y[row]) for row in self.rows},
        )

    # --- what is said, and what is true ---

    def accuracy(self) -> tuple[AccuracyEstimate, float, float]:
        """The estimate; the truth on the remainder and on new items."""
        classifier = self.fit(self.training())
        left = self.judged(classifier, self.left)
        told = estimate_accuracy(
            self._checks(Slice.AUDIT, AUDIT_FOLDS),
            self._checks(Slice.ACTIVE, ACTIVE_FOLDS),
            Rest(len(self.left), float(left.confidence.mean())),
        )
        assert isinstance(told, AccuracyEstimate)  # noqa: S101 - the looks begin at twelve
        fresh = self.judged(classifier, self.others)
        return told, float(left.correct.mean()), float(fresh.correct.mean())

    def _checks(self, kind: Slice, folds: int) -> Checks:
        held = self.of(kind)
        judged = cross_fit(self.training(), held, folds, self.fit, self.seed)
        return Checks(judged, np.array(self.rounds, np.int64)[held])

    def duel(self) -> Mapping[str, Any]:
        """Seeds and audits against seeds and as many active picks, where they disagree."""
        seeds, audits = self.of(Slice.COLD_START), self.of(Slice.AUDIT)
        active = self.of(Slice.ACTIVE)[: len(audits)]
        sides = [
            self.fit(self.training(np.concatenate([seeds, some]))) for some in (active, audits)
        ]
        features, gold = self.data.features.take(self.left), self.data.y[self.left]
        said = [side.predict_proba(features).argmax(axis=1) for side in sides]
        apart = np.flatnonzero(said[0] != said[1])
        right = [(one == gold).mean() for one in said]
        if len(apart) < LABELS_FOR_A_DUEL:
            return {"truth": float(right[0] - right[1]), "apart": len(apart)}
        drawn = np.random.default_rng(self.seed).choice(apart, LABELS_FOR_A_DUEL, replace=False)
        wins, losses = (int((one[drawn] == gold[drawn]).sum()) for one in said)
        both_wrong = LABELS_FOR_A_DUEL - wins - losses
        found = judge_duel(wins, losses, both_wrong, len(apart) / len(gold))
        truth = float(right[0] - right[1])
        return {"truth": truth, **_interval(found.gap, truth), "verdict": found.verdict.value}

    def forecasts(self) -> Sequence[Mapping[str, Any]]:
        """Said now, then the project goes on and the gain is seen."""
        held = self.of(Slice.AUDIT)
        sizes = past_sizes(len(self.rows), BATCH + BATCH // 2)
        correct = np.stack([self._audits_under(held, size) for size in sizes])
        told = [forecast_gain(correct, sizes, factor, self.seed) for factor in FACTORS]
        now, labels = self._fresh_accuracy(), len(self.rows)
        answers = []
        for one, factor in zip(told, FACTORS, strict=True):
            assert isinstance(one, Forecast)  # noqa: S101 - there are eighty audits
            while len(self.rows) < labels * factor:
                self.play(self.count(Slice.AUDIT) + 1)
            answers.append(_interval(one.gain, self._fresh_accuracy() - now) | {"factor": factor})
        return answers

    def _audits_under(self, held: Rows, size: int) -> Any:
        """The audits' correctness under the label set of a past size, each left out of it."""
        past = np.arange(size)
        inside, outside = held[held < size], held[held >= size]
        judged = dict.fromkeys(held.tolist(), 0.0)
        training = self.training(past)
        if len(inside):
            own = cross_fit(training, inside, ACTIVE_FOLDS, self.fit, self.seed)
            judged.update(zip(inside.tolist(), own.correct.tolist(), strict=True))
        if len(outside):
            rows = np.array(self.rows, np.int64)[outside]
            found = self.judged(self.fit(training), rows)
            judged.update(zip(outside.tolist(), found.correct.tolist(), strict=True))
        return np.array([judged[position] for position in held.tolist()])

    def _fresh_accuracy(self) -> float:
        classifier = self.fit(self.training())
        return float(self.judged(classifier, self.others).correct.mean())


def _interval(told: Interval, truth: float) -> dict[str, Any]:
    return {"covered": bool(told.covers(truth)), "width": told.width, "error": told.value - truth}


def played(project: Project, *, forecast: bool) -> Mapping[str, Any]:
    """Everything that is said in one project, beside the truth."""
    looks = []
    for audits in LOOKS:
        project.play(audits)
        told, left, fresh = project.accuracy()
        remaining, new = _interval(told.remaining, left), _interval(told.new_items, fresh)
        looks.append({"audits": audits, "remaining": remaining, "new_items": new, "truth": left})
    duel = project.duel()
    forecasts = project.forecasts() if forecast else []
    return {"looks": looks, "duel": duel, "forecasts": list(forecasts)}


@lru_cache(maxsize=1)
def _everything(name: str) -> tuple[Split, tuple[str, ...]]:
    """A set whole, whatever its own splits: projects divide it anew."""
    items = list(items_of(name))
    texts = [item["text"] for item in items]
    classes = tuple(sorted({item["label"] for item in items}))
    featuriser = fit_featuriser(lambda: [texts], DEFAULT_RECIPE, seed=0)
    y = np.array([classes.index(item["label"]) for item in items], dtype=np.int64)
    return Split(featuriser.transform(texts), y), classes


def project_of(name: str, number: int, self_training: str) -> Project:
    data, classes = _everything(name)
    seed = derived_seed(number, "coverage", name)
    order = np.random.default_rng(seed).permutation(len(data.y))
    pool, others = np.sort(order[:POOL]), np.sort(order[POOL : 2 * POOL])
    return Project(data, classes, pool, others, seed, self_training)


def kept(path: Path, make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """From an earlier run, or made now and kept whole."""
    if path.exists():
        return dict(json.loads(path.read_text()))
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(made))
    part.rename(path)
    return made


def report(name: str, results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Coverage and width, one line each; marked where less is covered than wanted."""
    yield f"\n## {name} ({len(results)} projects)\n"
    yield "| said | covered | median width | mean error |"
    yield "|---|---|---|---|"
    for at, audits in enumerate(LOOKS):
        for kind in ("remaining", "new_items"):
            yield _line(
                f"accuracy, {kind}, {audits} audits", [r["looks"][at][kind] for r in results]
            )
    duels = [r["duel"] for r in results]
    fought = [duel for duel in duels if "covered" in duel]
    if fought:
        yield _line("duel, gap", fought)
    for at, factor in enumerate(FACTORS):
        found = [r["forecasts"][at] for r in results if r["forecasts"]]
        if found:
            yield _line(f"gain of ×{factor:g} labels", found)
    yield ""
    yield _verdicts(duels)


def _line(what: str, found: Sequence[Mapping[str, Any]]) -> str:
    covered = float(np.mean([one["covered"] for one in found]))
    width = float(np.median([one["width"] for one in found]))
    error = float(np.mean([one["error"] for one in found]))
    mark = "" if covered >= WANTED else " **below**"
    return f"| {what} | {covered:.3f}{mark} | {width:.3f} | {error:+.4f} |"


def _verdicts(duels: Sequence[Mapping[str, Any]]) -> str:
    shares = {
        verdict: np.mean([duel.get("verdict") == verdict for duel in duels])
        for verdict in ("active", "random", "not_separated")
    }
    too_alike = np.mean(["verdict" not in duel for duel in duels])
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    truth = 100 * float(np.mean([duel["truth"] for duel in duels]))
    return f"Duels: {told}; too alike to be fought {too_alike:.1%}. True gap {truth:+.2f} points."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--projects", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first project")
    parser.add_argument("--self-training", choices=("off", "on"), default="off")
    parser.add_argument("--no-forecast", action="store_true")
    given = parser.parse_args()
    for name in given.sets.split(","):
        folder = OUT / f"{name}-{given.self_training}{'-short' if given.no_forecast else ''}"
        results = []
        for number in range(given.first, given.first + given.projects):
            results.append(
                kept(
                    folder / f"{number}.json",
                    lambda name=name, number=number: played(  # type: ignore[misc]
                        project_of(name, number, given.self_training),
                        forecast=not given.no_forecast,
                    ),
                )
            )
            sys.stderr.write(f"\r{name}: {len(results)} of {given.projects} ")
            sys.stderr.flush()
        sys.stdout.write("\n".join(report(name, results)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
