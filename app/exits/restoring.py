"""A bundle becomes a project again. It may come from anybody: every name, size and hash is checked
before a row is taken in, nothing is unpacked to a path, and nothing is executed."""

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from app.core.entities import Project
from app.core.errors import ArtefactDamaged, Unavailable, WrongInput
from app.core.features import Featuriser
from app.core.models import load_classifier
from app.core.models.packing import unpack
from app.core.projects import check_name, settings_from
from app.exits.bundle import FORMAT, MANIFEST, VERSION, Places
from app.ports.store import Transaction
from app.rounds.projects import check_choices, task_from

NAMES = re.compile(r"tables/[a-z_]+\.jsonl|(classifiers|featurisers)/[0-9]{1,18}\.bin")
MOST_BYTES = 64 * 2**30
MOST_OF_ONE = 2**30
"""Of a file that is read into memory at once."""
MOST_MANIFEST = 2**24
LONGEST_LINE = 64 * 2**20
WORST_RATIO = 250
SMALL = 2**20
PIECE = 2**20
BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError,
    ValueError, KeyError, TypeError,
)  # fmt: skip
Change = Callable[[dict[str, Any]], dict[str, Any]]


def restore(places: Places, source: BinaryIO, *, name: str | None, actor: str) -> Project:
    """The project in the bundle, under its own name or another. All of it or nothing."""
    if name is not None:
        check_name(name)
    try:
        archive = zipfile.ZipFile(source)
    except BROKEN:
        raise _refused("this is no zip file, or it is cut short") from None
    with archive:
        bundle = _Bundle(archive, _manifest(archive))
        bundle.check()
        return _take_in(places, bundle, name, actor)


def restore_sent(
    places: Places, pieces: Iterable[bytes], *, name: str | None, actor: str
) -> Project:
    """The same from pieces as they come in. What lists a zip's files is at its end, so they lie in
    a file meanwhile; it has no name, and is gone with the process whatever happens."""
    with TemporaryFile() as whole:
        _keep(pieces, whole)
        return restore(places, whole, name=name, actor=actor)


def _keep(pieces: Iterable[bytes], whole: BinaryIO) -> None:
    try:
        whole.writelines(pieces)
        whole.seek(0)
    except OSError as problem:
        raise Unavailable(
            f"The bundle cannot be kept while it is checked ({problem.strerror}). Free space where "
            "temporary files lie, or set TMPDIR to a larger disk."
        ) from problem


def _refused(reason: str) -> WrongInput:
    return WrongInput(f"The bundle cannot be taken in: {reason}.", field="file")


def _manifest(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    try:
        if archive.getinfo(MANIFEST).file_size > MOST_MANIFEST:
            raise _refused("its list of files is too long")
        manifest = json.loads(archive.read(MANIFEST))
    except BROKEN:
        raise _refused(f"it has no readable {MANIFEST}; it was not made by Rounds") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _refused("it was not made by `rounds export-bundle`")
    if manifest.get("version") != VERSION:
        raise _refused(f"it is of version {manifest.get('version')}; this program reads {VERSION}")
    return manifest


@dataclass(frozen=True, slots=True)
class _Bundle:
    archive: zipfile.ZipFile
    manifest: Mapping[str, Any]

    def check(self) -> None:
        """Names first, then what sizes are claimed, then every byte."""
        listed = self.manifest.get("files")
        if not isinstance(listed, dict):
            raise _refused(f"{MANIFEST} lists no files")
        self._check_names(listed)
        self._check_sizes()
        for path, noted in listed.items():
            self._check_hash(path, noted)

    def _check_names(self, listed: Mapping[str, Any]) -> None:
        there = [entry.filename for entry in self.archive.infolist()]
        if len(there) != len(set(there)) or set(there) != {*listed, MANIFEST}:
            raise _refused("its files are not those that it lists")
        for path in listed:
            if not NAMES.fullmatch(path):
                raise _refused(f"it holds a file {path[:80]!a} that no bundle has")

    def _check_sizes(self) -> None:
        entries = self.archive.infolist()
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise _refused(f"unpacked it would be larger than {MOST_BYTES:,} bytes")
        for entry in entries:
            if entry.file_size > SMALL and entry.file_size > WORST_RATIO * entry.compress_size:
                raise _refused(f"{entry.filename} unpacks to far more than any project would")
            if entry.filename.endswith(".bin") and entry.file_size > MOST_OF_ONE:
                raise _refused(f"{entry.filename} is larger than {MOST_OF_ONE:,} bytes")

    def _check_hash(self, path: str, noted: Any) -> None:
        digest = sha256()
        try:
            with self.archive.open(path) as file:
                while piece := file.read(PIECE):
                    digest.update(piece)
            same = digest.hexdigest() == noted["sha256"]
        except BROKEN:
            same = False
        if not same:
            raise _refused(f"{path} is damaged: it is not what was written")

    def has(self, path: str) -> bool:
        return path in self.manifest["files"]

    def read(self, path: str) -> bytes:
        return self.archive.read(path)

    def lines(self, table: str) -> Iterator[bytes]:
        path = f"tables/{table}.jsonl"
        if not self.has(path):
            return
        with self.archive.open(path) as file:
            while line := file.readline(LONGEST_LINE):
                yield line.rstrip(b"\n")


def _take_in(places: Places, bundle: _Bundle, name: str | None, actor: str) -> Project:
    uid = uuid4()
    changes = _changes(places, bundle, uid, name)
    with places.store.transaction() as tx:
        _check_revision(tx, bundle)
        tx.whole.begin()
        for table in tx.whole.tables():
            tx.whole.take_in(table, _changed(bundle.lines(table), changes.get(table)))
        project = tx.projects.get(tx.whole.new_id("projects"))
        origin = str(bundle.manifest.get("project"))[:60]
        tx.events.add("project.imported", actor, project_id=project.id, origin=origin)
    return project


def _check_revision(tx: Transaction, bundle: _Bundle) -> None:
    theirs, ours = str(bundle.manifest.get("revision")), tx.whole.revision()
    if not (theirs.isascii() and theirs.isdigit()) or int(theirs[:9]) > int(ours):
        raise _refused(
            f"its database was at revision {theirs[:20]!a}, this one is at {ours}; bring this "
            "program up to date and run `rounds migrate`"
        )


def _changes(places: Places, bundle: _Bundle, uid: UUID, name: str | None) -> dict[str, Change]:
    return {
        "projects": lambda row: _project(row, uid, name),
        "classifier_versions": lambda row: _classifier(row, places, bundle, uid),
        "feature_versions": lambda row: _features(row, places, bundle, uid),
    }


def _changed(lines: Iterable[bytes], change: Change | None) -> Iterator[bytes]:
    for line in lines:
        if change is None:
            yield line
            continue
        try:
            yield json.dumps(change(json.loads(line))).encode()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _refused("a row of it is not one that Rounds writes") from None


def _project(row: dict[str, Any], uid: UUID, name: str | None) -> dict[str, Any]:
    """Settings are checked as if somebody sent them. Nothing goes on by itself over here."""
    settings = settings_from(row["settings"])
    check_choices(settings)
    task_from({key: row["task"].get(key) for key in ("type", "labels", "guidelines")})
    row.pop("items_changed_at", None)
    row.pop("collect_after", None)
    fresh = {"uid": str(uid), "auto_since": None, "erase_at": None}
    return {**row, "name": check_name(name or row["name"]), **fresh}


def _classifier(row: dict[str, Any], places: Places, bundle: _Bundle, uid: UUID) -> dict[str, Any]:
    number = int(row["number"])
    inside = f"classifiers/{number}.bin"
    path = f"classifiers/{uid}/imported-{number}.bin"
    if bundle.has(inside):
        data = bundle.read(inside)
        _readable(inside, lambda: load_classifier(data))
        kept = places.files.put(path, data)
        if kept.sha256 != row["sha256"]:
            raise _refused(f"{inside} is not the classifier that was recorded")
    return {**row, "path": path}


def _features(row: dict[str, Any], places: Places, bundle: _Bundle, uid: UUID) -> dict[str, Any]:
    """What classifiers read texts with; the features themselves are made again when needed."""
    inside = f"featurisers/{int(row['id'])}.bin"
    outdated = {**row, "items_as_of": "1970-01-01T00:00:00+00:00"}
    if not bundle.has(inside):
        return {**outdated, "path": f"{uid}/none"}
    data = bundle.read(inside)
    featuriser = _readable(inside, lambda: Featuriser.from_arrays(unpack(data)[1]))
    info = places.features.adopt(str(uid), featuriser, recipe=str(row["recipe"]))
    return {**outdated, "items": 0, "path": info.path, "sha256": info.sha256}


def _readable(path: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (ArtefactDamaged, MemoryError, *BROKEN):
        raise _refused(f"{path} is no file that Rounds writes") from None
