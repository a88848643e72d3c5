"""Features of every item of a project, in files: fitted once, versioned by their content."""

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from app.adapters.features import manifest as manifests
from app.adapters.features.arrays import mapped
from app.adapters.features.manifest import Identity, Manifest
from app.adapters.features.parts import PartsWriter, item_ids, read_parts, shapes_of
from app.adapters.features.stored import MappedFeatures
from app.adapters.features.texts import TextStream
from app.adapters.folders import flush, inside, remove_folder, scratch, writing_to
from app.core.errors import ArtefactDamaged
from app.core.features import (
    DEFAULT_RECIPE,
    FeatureRecipe,
    Featuriser,
    fit_featuriser,
    with_embeddings,
)
from app.ports.encoder import Encoder
from app.ports.feature_store import FeatureInfo, Origin, Progress, TextBatches, Transformer

FEATURISER = "featuriser"
WRONG = (OSError, ValueError, KeyError, TypeError)  # what reading a damaged folder can raise


class LocalFeatureStore:
    """The feature store on a local or mounted disk.

    One folder a version: `PROJECT/VERSION/` with the manifest, the arrays of all items, and those
    of the featuriser. It is made elsewhere and renamed into place when whole, so a build that is
    killed leaves nothing and two builds at once end in one folder.
    """

    def __init__(self, root: Path, recipe: FeatureRecipe = DEFAULT_RECIPE) -> None:
        self._root = root
        self._recipe = recipe
        self._last: tuple[Identity, MappedFeatures] | None = None

    def recipe(self, encoder: Encoder | None) -> str:
        return f"{self._recipe.name}+{encoder.name}" if encoder else self._recipe.name

    def build(
        self,
        project: str,
        batches: TextBatches,
        *,
        seed: int,
        progress: Progress,
        fit_on: TextBatches | None = None,
        source: str | None = None,
        encoder: Encoder | None = None,
    ) -> FeatureInfo:
        """`progress` is told how many items are stored: 0, again and again, while fitting."""
        stream = TextStream(batches, progress)
        learnt = stream if fit_on is None else TextStream(fit_on, progress)
        featuriser = fit_featuriser(learnt.texts, self._recipe, seed=seed)
        with scratch(self._root) as folder:
            fresh = folder / "fresh"
            _keep_featuriser(fresh / FEATURISER, featuriser)
            make = _maker(featuriser, encoder, stream.alive)
            like = make([])
            items = _transform(PartsWriter.new(fresh, like), make, stream)
            manifest = Manifest(
                recipe=self.recipe(encoder),
                seed=seed,
                items=items,
                fitted_on=learnt.seen,
                shapes=shapes_of(like),
                files=manifests.listed(fresh),
                source=source,
                embedding=encoder.dimensions if encoder else None,
            )
            return self._publish(project, folder, manifest)

    def append(
        self,
        info: FeatureInfo,
        batches: TextBatches,
        *,
        progress: Progress,
        source: str | None = None,
        encoder: Encoder | None = None,
    ) -> FeatureInfo:
        """The old version stays as it is: rounds that used it can be replayed."""
        old, manifest = self._checked(info)
        stream = TextStream(batches, progress)
        make = _maker(self.featuriser(info), encoder, stream.alive)
        with scratch(self._root) as folder:
            fresh = folder / "fresh"
            with writing_to(fresh):
                shutil.copytree(old, fresh, ignore=shutil.ignore_patterns(manifests.NAME))
            writer = PartsWriter.extending(fresh, manifest.shapes)
            items = _transform(writer, make, stream)
            grown = replace(manifest, items=items, files=manifests.listed(fresh), source=source)
            return self._publish(Path(info.path).parent.as_posix(), folder, grown)

    def open(self, info: FeatureInfo) -> MappedFeatures:
        """Checks the manifest's hash and every file's size; `verify` checks every byte.

        Those opened last stay mapped as long as their files are the same: every step of a round
        opens them, and to map a million rows again takes as long as to pick among them.
        """
        folder, manifest = self._checked(info)
        identity = manifests.identity(folder, manifest)
        last = self._last  # another thread may open others meanwhile
        if last is None or last[0] != identity:
            parts = read_parts(folder, manifest.shapes)
            last = identity, MappedFeatures(info.version, item_ids(folder), parts)
            self._last = last
        return last[1]

    def origin(self, info: FeatureInfo) -> Origin:
        folder, manifest = self._checked(info)
        ids = item_ids(folder)
        last = int(ids[-1]) if len(ids) else 0
        dimensions = int(read_parts(folder, manifest.shapes).dense.shape[1])
        return Origin(manifest.fitted_on, last, manifest.source, dimensions)

    def featuriser(self, info: FeatureInfo) -> Featuriser:
        """What made these features, for texts that come later."""
        folder, _ = self._checked(info)
        arrays = {path.stem: mapped(path) for path in (folder / FEATURISER).glob("*.npy")}
        return Featuriser.from_arrays(arrays)

    def remove(self, project: str) -> None:
        """Every version of a project's features."""
        self._last = None
        remove_folder(self._root, project)

    def transformer(self, info: FeatureInfo, encoder: Encoder | None = None) -> Transformer:
        return _maker(self.featuriser(info), encoder, lambda: None)

    def adopt(self, project: str, featuriser: Featuriser, *, recipe: str) -> FeatureInfo:
        with scratch(self._root) as folder:
            fresh = folder / "fresh"
            _keep_featuriser(fresh / FEATURISER, featuriser)
            like = featuriser.transform([])
            with writing_to(fresh):
                PartsWriter.new(fresh, like).close()
            manifest = Manifest(recipe, 0, 0, 0, shapes_of(like), manifests.listed(fresh))
            return self._publish(project, folder, manifest)

    def verify(self, info: FeatureInfo) -> None:
        """ArtefactDamaged unless every byte is the one recorded. Reads all of it."""
        folder, manifest = self._checked(info)
        try:
            manifests.check_hashes(folder, manifest)
        except WRONG as error:
            raise _damaged(info, error) from error

    def _checked(self, info: FeatureInfo) -> tuple[Path, Manifest]:
        folder = inside(self._root, info.path)
        try:
            manifest = manifests.read_manifest(folder, info.sha256)
            manifests.check_sizes(folder, manifest)
        except WRONG as error:
            raise _damaged(info, error) from error
        return folder, manifest

    def _publish(self, project: str, folder: Path, manifest: Manifest) -> FeatureInfo:
        path = f"{project}/{manifest.version}"
        info = FeatureInfo(manifest.version, manifest.recipe, manifest.items, path, manifest.sha256)
        fresh, target = folder / "fresh", inside(self._root, path)
        with writing_to(target):
            (fresh / manifests.NAME).write_bytes(manifest.as_bytes())
            _flush_all(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            while not _moved(fresh, target):
                try:
                    self.verify(info)
                    break  # somebody else made the same; ours is not needed
                except ArtefactDamaged:
                    with suppress(FileNotFoundError):
                        target.rename(folder / uuid4().hex)
        return info


def _maker(
    featuriser: Featuriser, encoder: Encoder | None, alive: Callable[[], None]
) -> Transformer:
    if encoder is None:
        return featuriser.transform
    return lambda texts: with_embeddings(featuriser.transform(texts), encoder.encode(texts, alive))


def _transform(writer: PartsWriter, make: Transformer, stream: TextStream) -> int:
    for ids, texts in stream.blocks():
        matrix = make(texts)
        with writing_to(writer.folder):
            writer.append(ids, matrix)
    with writing_to(writer.folder):
        writer.close()
    return writer.rows


def _keep_featuriser(folder: Path, featuriser: Featuriser) -> None:
    with writing_to(folder):
        folder.mkdir(parents=True)
        for name, array in featuriser.to_arrays().items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _flush_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def _moved(fresh: Path, target: Path) -> bool:
    """False if something is there already."""
    try:
        fresh.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    flush(target.parent)
    return True


def _damaged(info: FeatureInfo, error: Exception) -> ArtefactDamaged:
    return ArtefactDamaged(
        f"The features {info.path} are missing or damaged: {error}. Nothing is lost: build them "
        "again, and the same texts and seed give the same version.",
        path=info.path,
        version=info.version,
    )
