"""The texts of a project as features: fitted once, carried on when items come, fitted anew when the
pool has outgrown what they were fitted on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from app.core.entities import FeatureVersion, ItemContent, Project
from app.core.errors import ArtefactDamaged
from app.core.importing import classifier_text
from app.core.types import Split
from app.ports.encoder import Encoder
from app.ports.feature_store import FeatureInfo, Origin, StoredFeatures
from app.rounds.encoders import encoder_of
from app.rounds.identity import derived_seed
from app.rounds.work import Parts, Work

log = structlog.get_logger()
FIT_ANEW_UP_TO = 20_000
"""With no more items in the pool than that, fitting takes a second or two and knows every word."""
OUTGROWN = 2
"""Fitted anew when the pool is so many times what it was at the last fit."""


def current_features(work: Work) -> FeatureVersion:
    """The features of the project's items as they are now, made if items have come since."""
    making = Making.of(work.parts, work.project, work.round.settings.embeddings, work.check)
    return making.current()


@dataclass(frozen=True, slots=True)
class Making:
    """All that making the features of one project needs."""

    parts: Parts
    project: Project
    encoder: Encoder | None
    check: Callable[[], None]

    @classmethod
    def of(
        cls, parts: Parts, project: Project, embeddings: str, check: Callable[[], None]
    ) -> "Making":
        return cls(parts, project, encoder_of(parts.encoders, embeddings), check)

    @property
    def recipe(self) -> str:
        return self.parts.features.recipe(self.encoder)

    def current(self) -> FeatureVersion:
        """Those there are, if they are of the items of now."""
        with self.parts.store.transaction() as tx:
            known = tx.classifiers.features(self.project.id, self.recipe)
        if known is not None and _usable(self.parts, known):
            return known
        return self.make()

    def make(self) -> FeatureVersion:
        """Of all items of this moment: carried on where that will do, or fitted."""
        with self.parts.store.transaction() as tx:
            as_of = tx.classifiers.items_changed_at(self.project.id)
            now = tx.items.content(self.project.id)
            newest = tx.classifiers.newest_features(self.project.id, self.recipe)
        info = self._carried_on(newest, now) if newest is not None else None
        info = info or self._fitted(now)
        with self.parts.store.transaction() as tx:
            return tx.classifiers.add_features(self.project.id, info, as_of)

    def _carried_on(self, version: FeatureVersion, now: ItemContent) -> FeatureInfo | None:
        """The same fit with the items that came later, if all earlier ones are what they were."""
        if not _usable(self.parts, version):
            return None
        info = _info(version)
        made = self.parts.features.origin(info)
        if made.source == now.fingerprint:
            return info
        if now.pool <= FIT_ANEW_UP_TO or now.pool > OUTGROWN * made.fitted_on:
            return None
        with self.parts.store.transaction() as tx:
            earlier = tx.items.content(self.project.id, up_to=made.last_item)
        if made.source != earlier.fingerprint:
            return None
        return self.parts.features.append(
            info,
            lambda: self._texts(after=made.last_item, up_to=now.last),
            source=now.fingerprint,
            encoder=self.encoder,
            progress=lambda done: self.check(),
        )

    def _fitted(self, now: ItemContent) -> FeatureInfo:
        return self.parts.features.build(
            str(self.project.uid),
            lambda: self._texts(up_to=now.last),
            # not even the words of a held-out text may shape the features, or its figures flatter
            fit_on=lambda: self._texts(Split.POOL, up_to=now.last),
            seed=derived_seed(self.project.settings.seed, "features"),
            source=now.fingerprint,
            encoder=self.encoder,
            progress=lambda done: self.check(),
        )

    def _texts(
        self, split: Split | None = None, *, after: int = 0, up_to: int
    ) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
        names = self.project.settings.fields
        store = self.parts.store
        for ids, fields in store.texts(self.project.id, split, after=after, up_to=up_to):
            yield ids, [classifier_text(one, names) for one in fields]


def _usable(parts: Parts, version: FeatureVersion) -> bool:
    """Features are a cache: what is damaged or gone is made again from the database."""
    try:
        open_features(parts, version)
    except ArtefactDamaged as problem:
        log.warning("features.damaged", version=version.version, reason=problem.message)
        return False
    return True


def open_features(parts: Parts, version: FeatureVersion) -> StoredFeatures:
    return parts.features.open(_info(version))


def of_round(work: Work) -> StoredFeatures:
    """Those that the round began with."""
    with work.store.transaction() as tx:
        version = tx.classifiers.feature_version(work.round.checkpoint["features_id"])
    return open_features(work.parts, version)


def verified(parts: Parts, version: FeatureVersion) -> Origin:
    """What they were made of; ArtefactDamaged unless every byte is the one recorded."""
    parts.features.verify(_info(version))
    return parts.features.origin(_info(version))


def record(work: Work, version: FeatureVersion) -> Mapping[str, Any]:
    """What the round's record says of its features, and of where texts went for them."""
    made = work.parts.features.origin(_info(version))
    embeddings = work.round.settings.embeddings
    encoder = encoder_of(work.parts.encoders, embeddings)
    sent_to = encoder.sends_to if encoder else None
    return {
        "version": version.version,
        "recipe": version.recipe,
        "items": version.items,
        "fitted_on": made.fitted_on,
        "dimensions": made.dimensions,
        "embeddings": embeddings,
        **(
            {"sent_to": sent_to, "fields_sent": list(work.project.settings.fields)}
            if sent_to
            else {}
        ),
    }


def _info(version: FeatureVersion) -> FeatureInfo:
    return FeatureInfo(version.version, version.recipe, version.items, version.path, version.sha256)
