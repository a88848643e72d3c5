"""A project that is deleted can be restored for some days; then everything of it goes."""

import pytest

from app.core.entities import ProjectState, RoundState
from app.core.errors import Conflict, NotFound, Unavailable, WrongInput
from app.rounds import commands, projects
from app.rounds.deleting import delete_project, restore_project
from tests.factories import all_rows, make_project
from tests.played import PlayedProject

pytestmark = pytest.mark.postgres


@pytest.fixture
def shop(store, tmp_path):
    return PlayedProject(store, tmp_path, count=80)


def delete(shop, **more):
    return delete_project(shop.store, "shop", **{"confirmed": "shop", "actor": "test", **more})


def files_in(folder):
    return sorted(one.name for one in folder.rglob("*") if one.is_file() and "lock" not in one.name)


def test_it_comes_back_whole_and_goes_on_where_it_was(shop):
    number = shop.start()
    shop.run_until(number, RoundState.ANNOTATING)
    deleted = delete(shop)
    assert deleted.state == ProjectState.ARCHIVED
    shop.answer(number)
    for _ in range(3):
        shop.tick()
    assert shop.round(number).state == RoundState.ANNOTATING
    for refused in (
        lambda: projects.change_project(shop.store, "shop", {"state": "active"}, actor="test"),
        lambda: commands.start_round(shop.store, "shop", actor="test"),
    ):
        with pytest.raises(Conflict):
            refused()
    assert restore_project(shop.store, "shop", actor="test").state == ProjectState.PAUSED
    projects.change_project(shop.store, "shop", {"state": "active"}, actor="test")
    shop.run_until(number, RoundState.CLOSED)
    with pytest.raises(Conflict, match="not being deleted"):
        restore_project(shop.store, "shop", actor="test")


@pytest.mark.parametrize("with_argilla", [False, True])
def test_when_its_time_has_come_everything_goes_but_what_was_not_asked_for(
    shop, tmp_path, with_argilla
):
    other = make_project(shop.store, "other")
    shop.play(shop.start())
    assert files_in(tmp_path / "files")
    delete(shop, days=0, with_argilla=with_argilla)
    with pytest.raises(Conflict, match="too late"):
        restore_project(shop.store, "shop", actor="test")
    shop.runner.tick()
    assert [one["name"] for one in all_rows(shop.store, "SELECT name FROM projects")] == ["other"]
    assert all_rows(shop.store, "SELECT id FROM items") == []
    assert files_in(tmp_path / "files") == files_in(tmp_path / "features") == []
    assert bool(shop.tool.datasets) is not with_argilla
    (said,) = all_rows(shop.store, "SELECT detail FROM events WHERE kind = 'project.deleted'")
    assert said["detail"] == {"name": "shop"}
    assert other.name == "other"


def test_what_is_interrupted_is_done_again(shop):
    shop.play(shop.start())
    delete(shop, days=0, with_argilla=True)
    shop.tool.fail_next("delete_dataset", Unavailable("away"), after_commit=True)
    assert not shop.runner.tick()
    assert all_rows(shop.store, "SELECT name FROM projects")
    shop.runner.tick()
    assert all_rows(shop.store, "SELECT name FROM projects") == []


def test_the_name_must_be_given_again(shop):
    with pytest.raises(WrongInput, match="again"):
        delete(shop, confirmed="shops")
    with pytest.raises(WrongInput, match="365"):
        delete(shop, days=1000)
    with pytest.raises(NotFound):
        delete_project(shop.store, "nowhere", confirmed="nowhere", actor="test")
