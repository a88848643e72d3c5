"""Features are fitted once and carried on, as long as what they were fitted on is what it was."""

from dataclasses import replace

import numpy as np
import pytest

from app.adapters.embeddings.address import AddressModel
from app.adapters.embeddings.cached import CachedEncoder
from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.core.errors import LeaseLost, WrongInput
from app.core.projects import fields_sent
from app.rounds import commands, featurising, projects
from app.rounds.featurising import Making
from app.rounds.runner import Runner
from app.rounds.work import Parts
from tests.embedding_server import DIMENSIONS, KEY, embedding_server
from tests.factories import all_rows, import_rows, items, make_project, make_store
from tests.fakes_argilla import FakeAnnotationTool

pytestmark = pytest.mark.postgres


class Shop:
    """A project with 40 items, and what its features are."""

    def __init__(self, database_url, folder, **encoders):
        self.store = make_store(database_url)
        self.features = LocalFeatureStore(folder / "features")
        self.parts = Parts(
            self.store,
            FakeAnnotationTool(),
            LocalFiles(folder / "files"),
            self.features,
            encoders=encoders,
        )
        self.project = make_project(self.store)
        self.take(items(40))

    def take(self, rows):
        return import_rows(self.store, rows)

    def now(self, embeddings="off", check=lambda: None):
        return Making.of(self.parts, self.project, embeddings, check).current()

    def anew(self):
        projects.refit_features(self.store, "shop", actor="test")
        return self.now()

    def fitted_on(self, version):
        return self.features.origin(featurising._info(version)).fitted_on

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
    anew = shop.anew()
    assert shop.fitted_on(anew) == 45
    assert anew.version != carried_on.version
    assert anew == shop.now() == shop.anew()


def test_the_same_imports_end_in_the_same_features_also_after_a_death_on_the_way(shop, tmp_path):
    shop.now()
    shop.take(later(0, 10))

    def die():
        raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        shop.now(check=die)
    survived = shop.now()
    others = LocalFeatureStore(tmp_path / "others")
    shop.parts = replace(shop.parts, features=others)
    with shop.store.transaction() as tx:
        tx.sql.run("DELETE FROM feature_versions WHERE id = :id", id=survived.id)
        first = tx.classifiers.newest_features(shop.project.id, survived.recipe)
    shop.features.verify(featurising._info(first))
    assert others.origin(featurising._info(shop.now())).fitted_on == 50  # without files: all anew


# sentence embeddings


@pytest.fixture
def server():
    with embedding_server() as server:
        yield server


@pytest.fixture
def told(database_url, tmp_path, server, monkeypatch):
    monkeypatch.setattr(featurising, "FIT_ANEW_UP_TO", 5)
    model = AddressModel(server.url, "embedder", KEY)
    shop = Shop(database_url, tmp_path, address=CachedEncoder(model, tmp_path / "kept", batch=16))
    yield shop
    shop.store.engine.dispose()


def test_embeddings_stand_beside_the_rest_and_no_text_is_asked_twice(told, server):
    version = told.now("address")
    assert version.recipe.startswith("hybrid.v1+embedder.")
    assert f".{DIMENSIONS}-" in version.version
    dense = told.matrix(version).dense
    assert dense.shape == (40, 128 + DIMENSIONS)
    assert np.allclose(np.linalg.norm(dense, axis=1), 1, atol=1e-6)
    told.take(later(0, 10))
    assert told.now("address").items == 50
    told.anew()
    assert told.now("address").items == 50
    assert (
        len(server.texts) == len(set(server.texts)) == 50 + 1
    )  # and one to learn how many columns


def test_with_and_without_embeddings_are_different_features_that_both_stay(told, server):
    told.now("address")
    asked = len(server.asked)
    without = told.now()
    assert told.matrix(without).dense.shape[1] == 128
    told.now("address")
    assert len(server.asked) == asked


def test_a_builder_that_dies_between_batches_ends_in_the_same_version(told, server, tmp_path):
    left = iter([None, None, LeaseLost("gone")])

    def dying():
        if server.asked and (problem := next(left)) is not None:
            raise problem

    with pytest.raises(LeaseLost):
        told.now("address", check=dying)
    survived = told.now("address")
    assert len(server.texts) == len(set(server.texts))
    undisturbed = LocalFeatureStore(tmp_path / "undisturbed")
    encoder = CachedEncoder(
        AddressModel(server.url, "embedder", KEY), tmp_path / "others", batch=16
    )
    told.parts = replace(told.parts, features=undisturbed, encoders={"address": encoder})
    assert told.now("address").version == survived.version


def test_what_the_server_does_not_offer_is_refused_by_name(told):
    for make in (
        lambda: make_project(told.store, "other", embeddings="local"),
        lambda: projects.change_project(told.store, "shop", {"embeddings": "local"}, actor="test"),
        lambda: told.now("local"),
    ):
        with pytest.raises(WrongInput, match="ROUNDS_EMBEDDINGS_LOCAL_MODEL") as caught:
            make()
        assert caught.value.field == "embeddings"
    with pytest.raises(WrongInput, match="off, local, address"):
        make_project(told.store, "other", embeddings="https://elsewhere")


def test_a_round_says_where_texts_went(told):
    changed = projects.change_project(
        told.store, "shop", {"embeddings": "address"}, actor="test", encoders=told.parts.encoders
    )
    assert fields_sent(changed.settings) == ["text"]
    commands.start_round(told.store, "shop", actor="test")
    runner = Runner(told.parts, name="test")
    while runner.tick():
        pass
    (step,) = all_rows(told.store, "SELECT detail FROM steps WHERE name = 'training'")
    assert step["detail"]["features"] == {
        "version": told.now("address").version,
        "recipe": told.now("address").recipe,
        "items": 40,
        "fitted_on": 40,
        "dimensions": 128 + DIMENSIONS,
        "embeddings": "address",
        "sent_to": "127.0.0.1",
        "fields_sent": ["text"],
    }
