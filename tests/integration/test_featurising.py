"""Features are fitted once and carried on, as long as what they were fitted on is what it was."""

import numpy as np
import pytest

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.core.errors import LeaseLost
from app.rounds import commands, featurising
from app.rounds.work import Parts
from tests.factories import import_rows, items, make_project, make_store
from tests.fakes_argilla import FakeAnnotationTool

pytestmark = pytest.mark.postgres


class Shop:
    """A project with 40 items, and what its features are."""

    def __init__(self, database_url, folder):
        self.store = make_store(database_url)
        self.features = LocalFeatureStore(folder / "features")
        self.parts = Parts(
            self.store, FakeAnnotationTool(), LocalFiles(folder / "files"), self.features
        )
        self.project = make_project(self.store)
        self.take(items(40))

    def take(self, rows):
        return import_rows(self.store, rows)

    def now(self, check=lambda: None):
        return featurising.ensure_features(self.parts, self.project, check)

    def anew(self):
        return featurising.make_features(self.parts, self.project, lambda: None, anew=True)

    def fitted_on(self, version):
        return featurising.record(self.parts, version)["fitted_on"]

    def matrix(self, version):
        return featurising.open_features(self.parts, version).matrix


@pytest.fixture
def shop(database_url, tmp_path, monkeypatch):
    monkeypatch.setattr(featurising, "FIT_ANEW_UP_TO", 5)
    shop = Shop(database_url, tmp_path)
    yield shop
    shop.store.engine.dispose()


def later(first, count, **more):
    return [{"id": f"l{n}", "text": f"later text {n}", **more} for n in range(first, first + count)]


def test_later_items_are_added_to_the_fit_there_is(shop):
    old = shop.now()
    assert shop.now() == old
    shop.take(later(0, 10))
    new = shop.now()
    assert (new.items, shop.fitted_on(new)) == (50, 40)
    assert np.array_equal(shop.matrix(new).dense[:40], shop.matrix(old).dense)
    shop.take(later(10, 10))
    assert (shop.now().items, shop.fitted_on(shop.now())) == (60, 40)
    assert len(shop.matrix(old)) == 40  # rounds of the past find what they used


def test_a_pool_that_has_outgrown_the_fit_is_fitted_anew(shop):
    shop.now()
    shop.take(later(0, 41))
    assert shop.fitted_on(shop.now()) == 81


def test_a_small_pool_is_fitted_anew_whenever_it_grows(shop, monkeypatch):
    monkeypatch.setattr(featurising, "FIT_ANEW_UP_TO", 45)
    shop.now()
    shop.take(later(0, 5))
    assert shop.fitted_on(shop.now()) == 45


def test_items_held_out_are_transformed_and_never_fitted_on(shop):
    shop.now()
    shop.take(later(0, 30, split="test"))
    assert (shop.now().items, shop.fitted_on(shop.now())) == (70, 40)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "i3", "text": "another text"},
        {"id": "i3", "text": "TEXT number 3"},
        {"id": "i3", "text": "text number 3", "split": "test"},
        # a held-out copy: the item of the pool is set aside, and its words may teach nothing
        {"id": "copy", "text": "text number 3", "split": "test"},
    ],
)
def test_anything_else_than_later_items_is_fitted_anew(shop, change):
    shop.now()
    shop.take([change, *later(0, 5)])
    now = shop.now()
    assert shop.matrix(now).dense.tobytes() == shop.matrix(shop.anew()).dense.tobytes()
    assert now == shop.now()


def test_changed_metadata_changes_no_features(shop):
    old = shop.now()
    assert shop.take(items(40, colour="red")).updated == 40
    assert shop.now() == old


def test_on_demand_everything_is_fitted_anew(shop):
    shop.now()
    shop.take(later(0, 5))
    carried_on = shop.now()
    commands.refit_features(shop.store, "shop", actor="test")
    anew = shop.now()
    assert shop.fitted_on(anew) == 45
    assert anew.version != carried_on.version
    assert anew.version == shop.anew().version
    assert shop.now() == anew


def test_the_same_imports_end_in_the_same_features_also_after_a_death_on_the_way(shop, tmp_path):
    shop.now()
    shop.take(later(0, 10))

    def die():
        raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        shop.now(check=die)
    survived = shop.now()
    shop.parts = Parts(
        shop.store, shop.parts.tool, shop.parts.files, LocalFeatureStore(tmp_path / "others")
    )
    with shop.store.transaction() as tx:
        tx.sql.run("DELETE FROM feature_versions WHERE id = :id", id=survived.id)
        first = tx.classifiers.newest_features(shop.project.id)
    shop.features.verify(featurising._info(first))
    assert shop.fitted_on(shop.now()) == 50  # the files are gone: fitted on all there is
