"""An old round made again from the records: the same classifier, the same batch, byte for byte?

Nothing is written. What is compared is what was recorded then: the classifier's hash, and the batch
with its ranks, scores, reasons and predictions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from app.core.entities import ClassifierVersion, NewSelection, Round
from app.core.errors import ArtefactDamaged, Conflict
from app.core.models import TrainedClassifier
from app.ports.store import Store
from app.rounds import featurising, purposes, selecting, training
from app.rounds.pools import Pool, pool_of_then
from app.rounds.work import Parts, Work


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was made again."""

    what: str
    same: bool
    message: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replay:
    number: int
    checks: Sequence[Check]
    libraries: Mapping[str, tuple[str | None, str | None]]
    """Those that are not what they were: then and now."""

    @property
    def same(self) -> bool:
        return all(check.same for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        return {
            "round": self.number,
            "same": self.same,
            "checks": [asdict(check) for check in self.checks],
            "libraries": {
                name: {"then": then, "now": now} for name, (then, now) in self.libraries.items()
            },
        }


def replay(parts: Parts, name: str, number: int) -> Replay:
    """Make round `number` again. Conflict if it has not chosen anything yet."""
    work = _work_of_then(parts, name, number)
    with parts.store.transaction() as tx:
        chosen_by, result = (
            tx.classifiers.get(one) if one else None
            for one in (work.round.classifier_id, work.round.result_id)
        )
    features = _features(work)
    fitted, checks = _classifier(work, chosen_by, "classifier that chose")
    checks += _batch(work, fitted)
    checks += _classifier(work, result, "classifier at the end")[1]
    made = [one.libraries for one in (chosen_by, result) if one]
    return Replay(number, [features, *checks], _changed_libraries(made))


def _work_of_then(parts: Parts, name: str, number: int) -> Work:
    with parts.store.transaction() as tx:
        project = tx.projects.by_name(name)
        round_ = tx.rounds.by_number(project.id, number)
        labels = tuple(tx.schemas.labels(project, round_.schema_version))
    if "strategy_used" not in round_.checkpoint:
        raise Conflict(f"Round {number} has chosen nothing yet, so there is nothing to replay.")
    if round_.pool_id is None:
        raise Conflict(
            f"Round {number} is from a version of Rounds that did not record the pool. Rounds "
            "started since then can be replayed."
        )
    of_then = replace(project, task=replace(project.task, labels=labels))
    return Work(parts, of_then, round_, check=lambda: None)


def _features(work: Work) -> Check:
    """The arrays are those recorded, to the byte; whether the texts are what they were is told."""
    with work.store.transaction() as tx:
        version = tx.classifiers.feature_version(work.round.checkpoint["features_id"])
    try:
        made = featurising.verified(work.parts, version)
    except ArtefactDamaged as problem:
        return Check("features", False, problem.message, {"version": version.version})
    with work.store.transaction() as tx:
        now = tx.items.content(work.project.id, up_to=made.last_item).fingerprint
    texts = "" if made.source in (None, now) else " Texts have been changed since; these are kept."
    message = f"{version.items:,} items, every byte as recorded.{texts}"
    evidence = {"version": version.version, "sha256": version.sha256, "data": made.source}
    return Check("features", True, message, evidence)


# --- the classifiers ---


def _classifier(
    work: Work, known: ClassifierVersion | None, what: str
) -> tuple[TrainedClassifier | None, list[Check]]:
    if known is None:
        return None, []
    try:
        fitted = _fitted_again(work, known)
    except ArtefactDamaged as problem:
        return None, [Check(what, False, problem.message, {"classifier": known.agent})]
    digest = sha256(fitted.to_bytes()).hexdigest()
    same = digest == known.sha256
    message = (
        f"{known.agent}, fitted again on {known.labels} labels of then: "
        f"{'the same bytes' if same else 'other bytes'}."
    )
    evidence = {"classifier": known.agent, "then": known.sha256, "now": digest}
    return fitted, [Check(what, same, message, evidence)]


def _fitted_again(work: Work, known: ClassifierVersion) -> TrainedClassifier:
    with work.store.transaction() as tx:
        features = tx.classifiers.feature_version(known.features_id)
        if known.pool_id is None:
            raise ArtefactDamaged(f"{known.agent} is from a version that did not record the pool.")
        pool = pool_of_then(tx, work.project.id, known.pool_id)
    return training.fit(work, features, pool, known.report.get("incumbent"))


# --- the batch ---


def _batch(work: Work, fitted: TrainedClassifier | None) -> list[Check]:
    if work.round.classifier_id is not None and fitted is None:
        return [Check("batch", False, "Its classifier could not be made again.", {})]
    try:
        now = _chosen_again(work, fitted)
    except ArtefactDamaged as problem:
        return [Check("batch", False, problem.message, {})]
    then = _chosen_then(work.store, work.round)
    differ = [old.rank for old, new in zip(then, now, strict=False) if old != new]
    same = then == now
    message = (
        f"The same {len(now)} items with the same ranks, scores and reasons."
        if same
        else f"{len(differ) + abs(len(then) - len(now))} of {len(then)} selections differ."
    )
    evidence = {"items": len(then), "ranks_that_differ": differ[:20]}
    return [Check("batch", same, message, evidence)]


def _chosen_again(work: Work, fitted: TrainedClassifier | None) -> Sequence[NewSelection]:
    pool = _pool_of_round(work)
    seen = selecting.see(work, pool, fitted)
    return selecting.describe(work, seen, *purposes.choose(work, seen))


def _pool_of_round(work: Work) -> Pool:
    assert work.round.pool_id is not None  # noqa: S101 - _work_of_then let no other through
    with work.store.transaction() as tx:
        return pool_of_then(tx, work.project.id, work.round.pool_id)


def _chosen_then(store: Store, round_: Round) -> Sequence[NewSelection]:
    with store.transaction() as tx:
        return [one.chosen for one in tx.selections.of_round(round_.id)]


def _changed_libraries(
    made: Sequence[Mapping[str, str]],
) -> Mapping[str, tuple[str | None, str | None]]:
    now = training.libraries()
    return {
        name: (then.get(name), now.get(name))
        for then in made
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    }
