"""The texts of a project as features: fitted once, carried on when items come, fitted anew when the
pool has outgrown what they were fitted on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import structlog

from app.core.entities import FeatureVersion, ItemContent, Project
from app.core.errors import ArtefactDamaged
from app.core.importing import classifier_text
from app.core.types import Split
from app.ports.feature_store import FeatureInfo, StoredFeatures
from app.rounds.identity import derived_seed
from app.rounds.work import Parts, Work

log = structlog.get_logger()
FIT_ANEW_UP_TO = 20_000
"""With no more items in the pool than that, fitting takes a second or two and knows every word."""
OUTGROWN = 2
"""Fitted anew when the pool is so many times what it was at the last fit."""


def current_features(work: Work) -> FeatureVersion:
    """The features of the project's items as they are now, made if items have come since."""
    return ensure_features(work.parts, work.project, work.check)


def ensure_features(parts: Parts, project: Project, check: Callable[[], None]) -> FeatureVersion:
    with parts.store.transaction() as tx:
        known = tx.classifiers.features(project.id)
    if known is not None and _usable(parts, known):
        return known
    return make_features(parts, project, check)


def make_features(
    parts: Parts, project: Project, check: Callable[[], None], *, anew: bool = False
) -> FeatureVersion:
    """Features of all items of this moment. `anew`: fitted on them, whatever there is already."""
    with parts.store.transaction() as tx:
        as_of = tx.classifiers.items_changed_at(project.id)
        now = tx.items.content(project.id)
        newest = tx.classifiers.newest_features(project.id)
    info = None if anew or newest is None else _carried_on(parts, project, newest, now, check)
    info = info or _fitted(parts, project, now, check)
    with parts.store.transaction() as tx:
        return tx.classifiers.add_features(project.id, info, as_of)


def _usable(parts: Parts, version: FeatureVersion) -> bool:
    """Features are a cache: what is damaged or gone is made again from the database."""
    try:
        open_features(parts, version)
    except ArtefactDamaged as problem:
        log.warning("features.damaged", version=version.version, reason=problem.message)
        return False
    return True


def _carried_on(
    parts: Parts,
    project: Project,
    version: FeatureVersion,
    now: ItemContent,
    check: Callable[[], None],
) -> FeatureInfo | None:
    """The same fit with the items that came later, if all earlier ones are what they were."""
    if not _usable(parts, version):
        return None
    info = _info(version)
    made = parts.features.origin(info)
    if made.source == now.fingerprint:
        return info
    if now.pool <= FIT_ANEW_UP_TO or now.pool > OUTGROWN * made.fitted_on:
        return None
    with parts.store.transaction() as tx:
        earlier = tx.items.content(project.id, up_to=made.last_item)
    if made.source != earlier.fingerprint:
        return None
    return parts.features.append(
        info,
        lambda: _texts(parts, project, after=made.last_item, up_to=now.last),
        source=now.fingerprint,
        progress=lambda done: check(),
    )


def _fitted(
    parts: Parts, project: Project, now: ItemContent, check: Callable[[], None]
) -> FeatureInfo:
    return parts.features.build(
        str(project.uid),
        lambda: _texts(parts, project, up_to=now.last),
        # not even the words of a held-out text may shape the features, or its figures would flatter
        fit_on=lambda: _texts(parts, project, Split.POOL, up_to=now.last),
        seed=derived_seed(project.settings.seed, "features"),
        source=now.fingerprint,
        progress=lambda done: check(),
    )


def _texts(
    parts: Parts, project: Project, split: Split | None = None, *, after: int = 0, up_to: int
) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
    names = project.settings.fields
    for ids, fields in parts.store.texts(project.id, split, after=after, up_to=up_to):
        yield ids, [classifier_text(one, names) for one in fields]


def open_features(parts: Parts, version: FeatureVersion) -> StoredFeatures:
    return parts.features.open(_info(version))


def record(parts: Parts, version: FeatureVersion) -> Mapping[str, Any]:
    """What the round's record says of its features."""
    made = parts.features.origin(_info(version))
    return {
        "version": version.version,
        "recipe": version.recipe,
        "items": version.items,
        "fitted_on": made.fitted_on,
    }


def _info(version: FeatureVersion) -> FeatureInfo:
    return FeatureInfo(version.version, version.recipe, version.items, version.path, version.sha256)
