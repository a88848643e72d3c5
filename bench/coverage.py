"""Do the intervals shown while a project runs hold what they say?

Plays whole projects with the product's own core: a random pool of 3,000 items, a cold start, then
rounds of 20 of which a fifth is the audit. After 12, 20, 40 and 80 audits accuracy is estimated and
compared with the truth, which only a benchmark knows; at 80 the duel against random is fought and
the gain forecast and then awaited. Nominal 95% must cover in at least 93% of projects.

    python -m bench.coverage [--sets sms_spam,dbpedia14,banking77] [--projects 300] [--first 0]
                             [--self-training off|on|auto] [--no-forecast] [--report]

The sets take turns, so that whenever it is stopped there is about as much of each. Finished
projects are kept in bench-out and not played again; several may run side by side.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from app.core.estimation import (
    AccuracyEstimate,
    Checks,
    Exchanged,
    Forecast,
    Interval,
    Judged,
    Rest,
    cross_fit,
    estimate_accuracy,
    exchange,
    forecast_gain,
    judge_duel,
    labels_for,
    past_sizes,
)
from app.core.estimation.audit import ACTIVE_FOLDS, AUDIT_FOLDS
from app.core.estimation.crossfit import Fit, judge
from app.core.estimation.duel import SIGNIFICANT, sign_test
from app.core.features import DEFAULT_RECIPE, fit_featuriser
from app.core.models import TrainedClassifier, train, train_alike
from app.core.strategies import cold_start, select_round
from app.core.types import FeatureMatrix, Rows, SelectionRequest, Slice, TrainingSet
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
NOT_ASKED = Exchanged(1.0, 1.0)


@dataclass
class Project:
    """One simulated project on a random pool of a set."""

    data: Split
    classes: tuple[str, ...]
    pool: Rows
    others: Rows
    seed: int
    self_training: str
    strategy: str = "default"
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
                else select_round(self.strategy, request, audit_fraction=AUDIT_SHARE)
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
            unlabelled=self._for_self_training,
            seed=self.seed,
            options={"self_training": self.self_training},
        )

    @property
    def _for_self_training(self) -> FeatureMatrix | None:
        return None if self.self_training == "off" else self.data.features.take(self.left)

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
        alike = self._alike(classifier)
        told = estimate_accuracy(
            self._checks(Slice.AUDIT, AUDIT_FOLDS, alike),
            self._checks(Slice.ACTIVE, ACTIVE_FOLDS, alike),
            Rest(
                len(self.left),
                float(left.confidence.mean()),
                len(self.rows) / len(self.classes),
            ),
        )
        assert isinstance(told, AccuracyEstimate)  # noqa: S101 - the looks begin at twelve
        fresh = self.judged(classifier, self.others)
        return told, float(left.correct.mean()), float(fresh.correct.mean())

    def _alike(self, classifier: TrainedClassifier) -> Fit:
        return lambda training: train_alike(
            classifier,
            training,
            unlabelled=self._for_self_training,
            seed=self.seed,
            options={"self_training": self.self_training},
        )

    def _checks(self, kind: Slice, folds: int, fit: Fit) -> Checks:
        held = self.of(kind)
        judged = cross_fit(self.training(), held, folds, fit, self.seed)
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
        truth, labels = float(right[0] - right[1]), labels_for(len(apart))
        if not labels:
            return {"truth": truth, "apart": len(apart)}
        drawn = np.random.default_rng(self.seed).choice(apart, labels, replace=False)
        wins, losses = (int((one[drawn] == gold[drawn]).sum()) for one in said)
        found = judge_duel(
            wins,
            losses,
            labels - wins - losses,
            apart=len(apart),
            items=len(gold),
            # the verdict hangs on exchanges only where the labels tell the sides apart
            exchanged=self._exchanged(seeds, active, audits)
            if sign_test(wins, losses) <= SIGNIFICANT
            else NOT_ASKED,
        )
        return {
            "truth": truth,
            "apart": len(apart),
            **_interval(found.gap, truth),
            "verdict": found.verdict.value,
            "sign_test": found.p_value,
            **asdict(found.exchanged),
        }

    def _exchanged(self, seeds: Rows, active: Rows, audits: Rows) -> Exchanged:
        unlabelled = self.data.features.take(self.left)
        whole = self.fit(self.training())
        view = whole.predict_proba(unlabelled)
        every = np.arange(len(view))

        def side(some: Rows) -> Any:
            training = self.training(np.concatenate([seeds, some]))
            said = self._alike(whole)(training).predict_proba(unlabelled).argmax(axis=1)
            return view[every, said]

        return exchange((active, audits), lambda a, r: float((side(a) - side(r)).mean()), self.seed)

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
        classifier = self.fit(training)
        if len(inside):
            fit = self._alike(classifier)
            own = cross_fit(training, inside, ACTIVE_FOLDS, fit, self.seed)
            judged.update(zip(inside.tolist(), own.correct.tolist(), strict=True))
        if len(outside):
            rows = np.array(self.rows, np.int64)[outside]
            found = self.judged(classifier, rows)
            judged.update(zip(outside.tolist(), found.correct.tolist(), strict=True))
        return np.array([judged[position] for position in held.tolist()])

    def _fresh_accuracy(self) -> float:
        classifier = self.fit(self.training())
        return float(self.judged(classifier, self.others).correct.mean())


def _interval(told: Interval, truth: float) -> dict[str, Any]:
    # a difference counted whole is the truth but for the last digit
    covered = told.low - 1e-9 <= truth <= told.high + 1e-9
    return {"covered": bool(covered), "width": told.width, "error": told.value - truth}


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


@lru_cache
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
        for verdict in ("active", "random", "by_chance", "not_separated")
    }
    too_alike = np.mean(["verdict" not in duel for duel in duels])
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    truth = 100 * float(np.mean([duel["truth"] for duel in duels]))
    return f"Duels: {told}; too alike to be fought {too_alike:.1%}. True gap {truth:+.2f} points."


def main() -> int:
    given = _arguments()
    names = given.sets.split(",")
    if not given.report:
        for number in range(given.first, given.first + given.projects):
            for name in names:
                _kept(name, number, given)
                sys.stderr.write(f"\r{name}: project {number} of {given.projects}   ")
                sys.stderr.flush()
    for name in names:
        found = [json.loads(one.read_text()) for one in sorted(_folder(name, given).glob("*.json"))]
        sys.stdout.write("\n".join(report(name, found)) + "\n" if found else "")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--projects", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first project")
    parser.add_argument("--self-training", choices=("off", "on", "auto"), default="off")
    parser.add_argument("--no-forecast", action="store_true")
    parser.add_argument("--report", action="store_true", help="only tell what was played so far")
    return parser.parse_args()


def _folder(name: str, given: argparse.Namespace) -> Path:
    return OUT / f"{name}-{given.self_training}{'-short' if given.no_forecast else ''}"


def _kept(name: str, number: int, given: argparse.Namespace) -> None:
    kept(
        _folder(name, given) / f"{number}.json",
        lambda: played(
            project_of(name, number, given.self_training), forecast=not given.no_forecast
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
