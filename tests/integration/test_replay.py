"""Old rounds made again from the records, whatever has happened since."""

from functools import partial

import pytest

from app.core.entities import RoundState
from app.core.errors import Conflict, NotFound
from app.rounds import commands, training
from app.rounds.replaying import replay
from tests.factories import all_rows, import_rows, sample_texts
from tests.played import PlayedProject
from tests.serving import api

pytestmark = pytest.mark.postgres


@pytest.fixture
def shop(store, tmp_path):
    return PlayedProject(store, tmp_path, count=120)


def edit_an_answer(shop):
    """Somebody changes their mind about an item of round 1, long after it closed."""
    item = all_rows(shop.store, "SELECT item_id FROM selections ORDER BY id LIMIT 1")[0]["item_id"]
    with shop.store.transaction() as tx:
        (one,) = tx.items.get([item])
    other = next(label for label in shop.project.task.labels
                 if label != shop.truth[one.fields["text"]])  # fmt: skip
    shop.tool.answer(f"item-{item}", other)


def test_every_round_of_a_finished_loop_comes_out_the_same(shop):
    shop.play(shop.start())
    edit_an_answer(shop)
    shop.play(shop.start())
    # items come while round 3 is out, some with labels
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    fresh = [{**one, "id": f"n{one['id']}"} for one in sample_texts(30, seed=5, held_out=0.0)]
    unlabelled = [{k: v for k, v in one.items() if k != "label"} for one in fresh[10:]]
    import_rows(shop.store, [*fresh[:10], *unlabelled])
    shop.answer(number, skip=3)
    commands.finish_round(shop.store, "shop", number, actor="test")
    shop.run_until(number, RoundState.CLOSED)
    edit_an_answer(shop)
    shop.truth |= {one["text"]: one["label"] for one in fresh}
    shop.play(shop.start())

    replays = {n: replay(shop.parts, "shop", n) for n in (1, 2, 3, 4)}
    assert {n: one.same for n, one in replays.items()} == dict.fromkeys((1, 2, 3, 4), True)
    assert [one.what for one in replays[1].checks] == ["features", "batch", "classifier at the end"]
    assert [one.what for one in replays[2].checks] == [
        "features", "classifier that chose", "batch", "classifier at the end",
    ]  # fmt: skip
    assert not any(one.libraries for one in replays.values())


def test_what_differs_is_said(shop, monkeypatch):
    shop.play(shop.start())
    shop.play(shop.start())
    with shop.store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET seed = seed + 1 WHERE number = 2")
    libraries = {**training.libraries(), "numpy": "0.1"}
    monkeypatch.setattr(training, "libraries", lambda: libraries)
    made = replay(shop.parts, "shop", 2)
    assert {one.what: one.same for one in made.checks} == {
        "features": True,
        "classifier that chose": True,
        "batch": False,
        "classifier at the end": True,
    }
    assert not made.same
    assert made.libraries["numpy"][1] == "0.1"


def test_a_replay_writes_nothing(shop):
    shop.play(shop.start())
    tables = ("classifier_versions", "pool_snapshots", "selections", "events", "labels")
    count = " UNION ALL ".join(f"SELECT count(*) AS n FROM {one}" for one in tables)
    before = all_rows(shop.store, count)
    replay(shop.parts, "shop", 1)
    assert all_rows(shop.store, count) == before


def test_there_must_be_something_to_replay(shop):
    number = shop.start()
    with pytest.raises(Conflict, match="chosen nothing yet"):
        replay(shop.parts, "shop", number)
    with pytest.raises(NotFound):
        replay(shop.parts, "shop", 9)
    shop.run_until(number, RoundState.ANNOTATING)
    with shop.store.transaction() as tx:
        tx.sql.run("UPDATE rounds SET pool_id = NULL")
    with pytest.raises(Conflict, match="did not record the pool"):
        replay(shop.parts, "shop", number)


def test_labels_imported_between_scoring_and_choosing_do_not_confuse_the_choice(shop):
    shop.play(shop.start())
    number = shop.start()
    shop.run_until(number, RoundState.SELECTING)
    known = all_rows(
        shop.store,
        "SELECT external_id AS id, fields->>'text' AS text FROM items i WHERE split = 'pool' "
        "AND NOT EXISTS (SELECT FROM pushes p WHERE p.item_id = i.id) LIMIT 5",
    )
    new = [{"id": f"late{n}", "text": f"late text {n}", "label": "praise"} for n in range(3)]
    report = import_rows(
        shop.store, [*new, *({**one, "label": shop.truth[one["text"]]} for one in known)]
    )
    assert report.labelled == 8
    shop.play(number)
    assert not {one["id"] for one in known} & {one.item.external_id for one in shop.out(number)}
    assert replay(shop.parts, "shop", number).same


def test_a_lost_classifier_is_fitted_again_beside_the_pool_of_then(shop):
    """Though the pool has changed since, the bytes are those recorded."""
    shop.play(shop.start())
    (kept,) = all_rows(shop.store, "SELECT path FROM classifier_versions")
    shop.parts.files.put(kept["path"], b"damaged")
    shop.play(shop.start())
    assert replay(shop.parts, "shop", 2).same


def test_a_round_is_made_again_over_rest(shop):
    shop.play(shop.start())
    made = partial(replay, shop.parts)
    with api(shop.store, "viewer", replayer=made) as client:
        answer = client.get("/api/v1/projects/shop/rounds/1/replay")
        assert (answer.status_code, answer.json()["same"]) == (200, True)
        assert [one["what"] for one in answer.json()["checks"]] == [
            "features", "batch", "classifier at the end",
        ]  # fmt: skip
        assert answer.json()["libraries"] == {}
        assert client.get("/api/v1/projects/shop/rounds/7/replay").status_code == 404
        shop.start()
        assert client.get("/api/v1/projects/shop/rounds/2/replay").status_code == 409
