"""Whole projects over HTTP: sent and taken in piece by piece, by admins alone."""

import io
import zipfile

import pytest

from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.core.errors import Unavailable
from app.exits import restoring
from app.exits.bundle import Places, bundle
from app.exits.classifier import load_folder
from app.exits.files import zipped
from app.main import create_app
from tests.browsing import browsing, log_in
from tests.factories import all_rows, make_store
from tests.played import PlayedProject
from tests.serving import api, bearer, make_key, make_parts

pytestmark = pytest.mark.postgres
SHOP, BUNDLES = "/api/v1/projects/shop/bundle", "/api/v1/bundles"
LARGEST = 2**20


@pytest.fixture
def places(database_url, tmp_path):
    files, features = LocalFiles(tmp_path / "files"), LocalFeatureStore(tmp_path / "features")
    places = Places(make_store(database_url), files, features)
    yield places
    places.store.engine.dispose()


@pytest.fixture
def played(places, tmp_path):
    played = PlayedProject(places.store, tmp_path, count=60)
    played.play(played.start())
    return played


@pytest.fixture
def client(places):
    with api(
        places.store,
        "admin",
        whereabouts=lambda: places,
        max_upload_bytes=LARGEST,
        upload_idle_seconds=1.0,
    ) as client:
        yield client


def test_the_page_gives_classifier_and_bundle(places, played, tmp_path):
    app = create_app(make_parts(places.store, whereabouts=lambda: places))
    with browsing(app) as browser:
        log_in(browser, places.store, "viewer")
        assert browser.get("/projects/shop/bundle").status_code == 403
        assert "/projects/shop/bundle" not in browser.get("/projects/shop/export").text
        sent = browser.get("/projects/shop/classifier")
        browser.cookies.clear()
        log_in(browser, places.store, "admin")
        assert 'href="/projects/shop/bundle"' in browser.get("/projects/shop/export").text
        whole = browser.get("/projects/shop/bundle")
        played.start()
        open_page = browser.get("/projects/shop/export").text
        reader = bearer(make_key(places.store, "viewer", "reader")[1])
        same, missing = (
            browser.get(f"/api/v1/projects/shop/classifier{query}", headers=reader)
            for query in ("", "?version=9")
        )
    assert sent.content == same.content
    assert missing.status_code == 404
    zipfile.ZipFile(io.BytesIO(sent.content)).extractall(tmp_path / "classifier")
    predictor = load_folder(tmp_path / "classifier")
    assert set(predictor.classes) == set(played.truth.values())
    assert zipfile.ZipFile(io.BytesIO(whole.content)).testzip() is None
    assert "Round 2 is open" in open_page


def in_pieces(data):
    for begin in range(0, len(data), 10_000):
        yield data[begin : begin + 10_000]


def projects_of(places):
    return [row["name"] for row in all_rows(places.store, "SELECT name FROM projects ORDER BY id")]


def test_a_project_leaves_and_comes_back_under_another_name(places, played, client):
    sent = client.get(SHOP)
    assert (sent.status_code, sent.headers["content-type"]) == (200, "application/zip")
    assert sent.headers["content-disposition"] == 'attachment; filename="shop-bundle.zip"'
    assert sent.content == b"".join(zipped(bundle(places, "shop")))
    with places.store.transaction() as tx:
        tx.sql.run("SELECT delete_project('shop')")
    back = client.post(BUNDLES, params={"name": "again"}, content=in_pieces(sent.content))
    assert back.status_code == 201, back.text
    assert back.headers["location"] == "/api/v1/projects/again"
    assert (back.json()["name"], back.json()["counts"]["labelled"]) == ("again", 12)
    restored = all_rows(
        places.store, "SELECT actor, via FROM actions WHERE kind = 'project.imported'"
    )
    assert [dict(row) for row in restored] == [{"actor": "admin", "via": "api"}]


def test_an_open_round_must_end_first(played, client):
    played.start()
    told = client.get(SHOP)
    assert (told.status_code, told.json()["code"]) == (409, "conflict")
    assert "Finish or cancel" in told.json()["detail"]


def test_what_is_no_bundle_is_refused_with_the_reason(places, played, client):
    whole = client.get(SHOP).content
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        middle = archive.getinfo("tables/items.jsonl").header_offset + 200
    damaged = whole[:middle] + b"\0\0\0" + whole[middle + 3 :]
    for data, words in (
        (b"", "no zip file"),
        (b"hello", "no zip file"),
        (whole[:-500], "cut short"),
        (damaged, "damaged"),
        (whole, "already"),
    ):
        told = client.post(BUNDLES, params={"name": "again"}, content=data)
        assert (told.status_code, told.json()["field"]) == (422, "file"), told.text
        assert words in told.json()["detail"]
    wrong = client.post(BUNDLES, params={"name": "No Name!"}, content=whole)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "name")
    assert projects_of(places) == ["shop"]


def test_what_is_too_large_is_refused_whatever_it_says_of_itself(places, client):
    told = client.post(BUNDLES, content=b"0" * (LARGEST + 1))
    assert told.status_code == 413
    unsaid = client.post(BUNDLES, content=in_pieces(b"0" * (LARGEST + 1)))
    assert unsaid.status_code == 413
    assert projects_of(places) == []


def test_no_room_for_what_is_sent_is_told_with_what_to_do(places, monkeypatch):
    class Full(io.BytesIO):
        def writelines(self, pieces):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(restoring, "TemporaryFile", Full)
    with pytest.raises(Unavailable, match=r"No space left on device.*TMPDIR"):
        restoring.restore_sent(places, [b"x"], name=None, actor="test")
