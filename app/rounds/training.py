"""The classifier of a round. It is found by what it is made of, so the same labels are never fitted
twice and a step that runs again finds what it made before."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version

import numpy as np
import structlog

from app.core.entities import ClassifierVersion, CurrentLabel, FeatureVersion, Project
from app.core.errors import ArtefactDamaged
from app.core.models import TrainedClassifier, load_classifier, train
from app.core.tasks import task_type
from app.core.types import Floats, SomeRows, TrainingSet
from app.ports.feature_store import StoredFeatures
from app.ports.files import Artefact
from app.ports.store import ItemIds
from app.rounds import pools
from app.rounds.featurising import open_features
from app.rounds.identity import derived_seed
from app.rounds.pools import Pool
from app.rounds.work import Parts, Work

log = structlog.get_logger()
MOST_UNLABELLED = 20_000
LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm", "argilla-rounds")


def classifier_of_now(work: Work, features: FeatureVersion) -> ClassifierVersion | None:
    """The classifier of all current labels. None while fewer than two classes have a label."""
    stored = open_features(work.parts, features)
    labels = pools.labels_of_now(work, stored)
    if len({_class_of(work.project, label) for label in labels}) < 2:
        return None
    fingerprint = fingerprint_of(work, features, labels)
    with work.store.transaction() as tx:
        known = tx.classifiers.by_fingerprint(work.project.id, fingerprint)
    if known is None:
        pool = pools.pool_of_now(work, stored, labels)
        return _train(work, features, pool, fingerprint)
    return known if _whole(work, known) else _fit_again(work, features, known)


def _whole(work: Work, known: ClassifierVersion) -> bool:
    try:
        load(work.parts, known)
    except ArtefactDamaged as problem:
        log.warning("classifier.damaged", classifier=known.agent, reason=problem.message)
        return False
    return True


def _fit_again(work: Work, features: FeatureVersion, known: ClassifierVersion) -> ClassifierVersion:
    """A lost file is made again from the same labels; anything but the same bytes is an error."""
    pool = _pool_of(work, features, known)
    fitted = fit(work, features, pool, known.report.get("incumbent"))
    artefact = work.parts.files.put(known.path, fitted.to_bytes())
    if artefact.sha256 != known.sha256:
        raise ArtefactDamaged(
            f"The file of classifier {known.agent} is lost, and fitting it again gave other bytes "
            "(has a library changed since?). Restore it from a backup, or add a label."
        )
    return known


def _pool_of(work: Work, features: FeatureVersion, known: ClassifierVersion) -> Pool:
    """As recorded; for classifiers from before it was, as near as can be."""
    if known.pool_id is None:
        stored = open_features(work.parts, features)
        return pools.pool_of_now(work, stored, pools.labels_of_now(work, stored))
    with work.store.transaction() as tx:
        return pools.pool_of_then(tx, work.project.id, known.pool_id)


def _class_of(project: Project, label: CurrentLabel) -> str:
    return task_type(project.task).class_of(label.value)


def classifier_seed(work: Work) -> int:
    return derived_seed(work.round.settings.seed, "classifier")


def fingerprint_of(work: Work, features: FeatureVersion, labels: Sequence[CurrentLabel]) -> str:
    """Everything that the fit depends on, as one hash; but for an incumbent, for the same labels
    are not fitted again because another one was chosen since. It is kept in the report."""
    content = {
        "classifier": work.round.classifier,
        "options": dict(work.round.settings.classifier_options),
        "features": features.version,
        "classes": list(work.project.task.labels),
        "seed": classifier_seed(work),
        "labels": [[one.item_id, one.label_id] for one in labels],
        **_weighed(work, labels),
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _weighed(work: Work, labels: Iterable[CurrentLabel]) -> Mapping[str, object]:
    """What an LLM's labels weigh, where there are any."""
    weights = {work.round.settings.llm.weight_of(one.source) for one in labels} - {1.0}
    return {"weights": sorted(weights)} if weights else {}


def _train(work: Work, features: FeatureVersion, pool: Pool, fingerprint: str) -> ClassifierVersion:
    fitted = fit(work, features, pool, _incumbent(work))
    work.check()
    path = f"classifiers/{work.project.uid}/{fingerprint[:32]}.bin"
    artefact = work.parts.files.put(path, fitted.to_bytes())
    with work.store.transaction() as tx:
        return tx.classifiers.add(
            work.project.id,
            name=fitted.name,
            fingerprint=fingerprint,
            features=features,
            label_ids=[label.label_id for label in pool.labels],
            pool=pool.ids,
            seed=classifier_seed(work),
            path=artefact.path,
            sha256=artefact.sha256,
            report=fitted.report,
            libraries=libraries(),
        )


def _incumbent(work: Work) -> str | None:
    """What the project's last classifier of this kind chose among several; it defends its place."""
    with work.store.transaction() as tx:
        known = tx.classifiers.all(work.project.id)
    same = [one for one in known if one.name == work.round.classifier]
    chosen = same[-1].report.get("chosen") if same else None
    return chosen if work.round.classifier.startswith("auto.") else None


def fit(
    work: Work, features: FeatureVersion, pool: Pool, incumbent: str | None
) -> TrainedClassifier:
    """From what is handed in alone: the same features, labels, pool and incumbent give the same
    bytes."""
    stored = open_features(work.parts, features)
    return train(
        work.round.classifier,
        training_set(work, stored, pool.labels),
        unlabelled=unlabelled(work, stored, pool.candidates),
        seed=classifier_seed(work),
        options={
            **({"incumbent": incumbent} if incumbent else {}),
            **work.round.settings.classifier_options,
        },
    )


def training_set(work: Work, stored: StoredFeatures, labels: Sequence[CurrentLabel]) -> TrainingSet:
    """What these labels teach, each with its weight."""
    rows = stored.rows_of(np.array([label.item_id for label in labels], dtype=np.int64))
    classes = work.project.task.labels
    position = {label: index for index, label in enumerate(classes)}
    return TrainingSet(
        features=stored.take(rows),
        y=np.array([position[_class_of(work.project, one)] for one in labels], dtype=np.int64),
        classes=classes,
        weights=_weights(work, labels),
    )


def _weights(work: Work, labels: Iterable[CurrentLabel]) -> Floats:
    """A label counts by how sure it is and by who gave it; one that came without a confidence
    counts whole."""
    by = work.round.settings.llm
    counts = [_sureness(one) * by.weight_of(one.source) for one in labels]
    return np.array(counts, dtype=np.float32)


def _sureness(label: CurrentLabel) -> float:
    """Of what people or files say. What an LLM says of itself is not taken at its word."""
    is_llm = label.source.startswith("llm:")
    return 1.0 if label.confidence is None or is_llm else label.confidence


def unlabelled(work: Work, stored: StoredFeatures, candidates: ItemIds) -> SomeRows:
    """Pool items without a label, never held-out ones: a classifier may learn from their texts.
    A seeded sample is enough, and keeps the time of a fit independent of the pool's size."""
    if len(candidates) > MOST_UNLABELLED:
        chosen = np.random.default_rng(classifier_seed(work))
        candidates = np.sort(chosen.choice(candidates, MOST_UNLABELLED, replace=False))
    return SomeRows(stored, stored.rows_of(candidates))


def load(parts: Parts, classifier: ClassifierVersion) -> TrainedClassifier:
    """The stored classifier, its hash checked."""
    return load_classifier(parts.files.get(Artefact(classifier.path, classifier.sha256)))


def libraries() -> Mapping[str, str]:
    """What a replay must have to come to the same bytes."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}
