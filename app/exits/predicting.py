"""A classifier for texts that come later: from a project, or from an exported folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from app.core.entities import ClassifierVersion, FeatureVersion
from app.core.errors import NotFound, WrongInput
from app.core.importing import classifier_text
from app.core.models import TrainedClassifier, load_classifier
from app.core.types import Floats
from app.exits.bundle import Places
from app.ports.encoder import Encoder
from app.ports.feature_store import FeatureInfo, Transformer
from app.ports.files import Artefact
from app.ports.store import Transaction

KEPT = 4


@dataclass(frozen=True, slots=True)
class Predictor:
    """Texts in, probabilities out; nothing is kept of them."""

    agent: str
    fields: tuple[str, ...]
    classifier: TrainedClassifier
    transform: Transformer

    @property
    def classes(self) -> tuple[str, ...]:
        return self.classifier.classes

    def __call__(self, rows: Sequence[Mapping[str, str]]) -> Floats:
        """A row an item, a column a class."""
        texts = [classifier_text(row, self.fields) for row in rows]
        return self.classifier.predict_proba(self.transform(texts))


def answer(classes: Sequence[str], probabilities: Floats) -> dict[str, Any]:
    """The label, how sure, and all the rest, the likeliest first."""
    figures = {label: round(float(p), 6) for label, p in zip(classes, probabilities, strict=True)}
    ordered = dict(sorted(figures.items(), key=lambda one: -one[1]))
    label = next(iter(ordered))
    return {"label": label, "probability": ordered[label], "probabilities": ordered}


class Predictors:
    """The predictors of an installation; the last few stay in memory."""

    def __init__(self, places: Places, encoders: Mapping[str, Encoder]) -> None:
        self._places = places
        self._encoders = encoders
        self._kept: dict[int, Predictor] = {}
        self._lock = Lock()

    def __call__(self, name: str, number: int | None = None) -> Predictor:
        with self._places.store.transaction() as tx:
            project = tx.projects.by_name(name)
            chosen = version_of(tx, name, number)
            features = tx.classifiers.feature_version(chosen.feature_version_id)
        with self._lock:
            if chosen.id not in self._kept:
                while len(self._kept) >= KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[chosen.id] = self._load(chosen, features, project.settings.fields)
            return self._kept[chosen.id]

    def _load(
        self, chosen: ClassifierVersion, features: FeatureVersion, fields: tuple[str, ...]
    ) -> Predictor:
        data = self._places.files.get(Artefact(chosen.path, chosen.sha256))
        transform = self._places.features.transformer(info_of(features), self._encoder(features))
        return Predictor(chosen.agent, fields, load_classifier(data), transform)

    def _encoder(self, features: FeatureVersion) -> Encoder | None:
        if not has_embeddings(features):
            return None
        for encoder in self._encoders.values():
            if features.recipe.endswith(f"+{encoder.name}"):
                return encoder
        raise WrongInput(
            f"This classifier reads texts with {features.recipe}, whose embeddings this server "
            "does not offer now. See the ROUNDS_EMBEDDINGS_… settings.",
            field="version",
        )


def version_of(tx: Transaction, name: str, number: int | None) -> ClassifierVersion:
    """The classifier of that number, the newest if none is named."""
    versions = tx.classifiers.all(tx.projects.by_name(name).id)
    if not versions:
        raise NotFound(f"{name} has no classifier yet: two classes must have a label first.")
    found = [one for one in versions if number in (None, one.number)]
    if not found:
        raise NotFound(
            f"{name} has no classifier {number}; they go from 1 to {versions[-1].number}."
        )
    return found[-1]


def has_embeddings(features: FeatureVersion) -> bool:
    return "+" in features.recipe


def info_of(one: FeatureVersion) -> FeatureInfo:
    return FeatureInfo(one.version, one.recipe, one.items, one.path, one.sha256)
