"""A whole project as one zip: every row and every classifier, hashed, without keys or secrets."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from app.core.entities import ClassifierVersion, FeatureVersion, Project
from app.core.errors import ArtefactDamaged, Conflict
from app.core.models.packing import pack
from app.exits.files import OutFile
from app.ports.feature_store import FeatureInfo, FeatureStore
from app.ports.files import Artefact, Files
from app.ports.store import Store, Transaction

FORMAT, VERSION = "rounds-bundle", 1
MANIFEST = "bundle.json"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a project's things lie."""

    store: Store
    files: Files
    features: FeatureStore


@dataclass(slots=True)
class _Hashing:
    """Notes the hash and size of each file as it goes by."""

    noted: dict[str, dict[str, Any]] = field(default_factory=dict)

    def through(self, file: OutFile) -> OutFile:
        return OutFile(file.path, self._pieces(file))

    def _pieces(self, file: OutFile) -> Iterator[bytes]:
        digest, size = sha256(), 0
        for piece in file.pieces:
            digest.update(piece)
            size += len(piece)
            yield piece
        self.noted[file.path] = {"bytes": size, "sha256": digest.hexdigest()}


def bundle(places: Places, name: str) -> Iterator[OutFile]:
    """Conflict while a round is open: elsewhere nobody could finish it."""
    with places.store.transaction() as tx:
        project = tx.projects.by_name(name)
        open_round = tx.rounds.open(project.id)
    if open_round is not None:
        raise Conflict(
            f"Round {open_round.number} is open, and its batch is in this Argilla. Finish or "
            "cancel it first."
        )
    return _files(places, project)


def _files(places: Places, project: Project) -> Iterator[OutFile]:
    hashing = _Hashing()
    with places.store.snapshot() as tx:
        revision = tx.whole.revision()
        for file in _contents(places, tx, project):
            yield hashing.through(file)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "revision": revision,
        "project": project.name,
        "files": hashing.noted,
    }
    yield OutFile(MANIFEST, [json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"])


def _contents(places: Places, tx: Transaction, project: Project) -> Iterator[OutFile]:
    for table in tx.whole.tables():
        yield OutFile(f"tables/{table}.jsonl", tx.whole.rows(table, project.id))
    classifiers = tx.classifiers.all(project.id)
    for one in classifiers:
        yield from _if_there(f"classifiers/{one.number}.bin", partial(_classifier, places, one))
    for version in sorted({one.feature_version_id for one in classifiers}):
        features = tx.classifiers.feature_version(version)
        yield from _if_there(
            f"featurisers/{features.id}.bin", partial(_featuriser, places, features)
        )


def _if_there(path: str, read: Callable[[], bytes]) -> Iterable[OutFile]:
    """A lost file is fitted again where it is needed; the rest must not wait for it."""
    try:
        return [OutFile(path, [read()])]
    except ArtefactDamaged:
        return []


def _classifier(places: Places, one: ClassifierVersion) -> bytes:
    return places.files.get(Artefact(one.path, one.sha256))


def _featuriser(places: Places, one: FeatureVersion) -> bytes:
    info = FeatureInfo(one.version, one.recipe, one.items, one.path, one.sha256)
    return pack({"recipe": one.recipe}, places.features.featuriser(info).to_arrays())
