"""The dashboard without a browser: sessions, tokens, words, and texts that mean harm."""

import re

import pytest
from fastapi.testclient import TestClient

from app.core.entities import RoundState
from app.core.errors import Refused
from app.main import create_app
from app.rounds import api_keys, commands
from tests.browsing import HTML, browsing, log_in, token_in
from tests.factories import all_rows, import_rows, items, make_project
from tests.played import PlayedProject
from tests.serving import make_key, make_parts

pytestmark = pytest.mark.postgres
SCRIPT = "<script>alert(1)</script>"
PAGES = (
    "/",
    "/projects/shop",
    "/projects/shop/annotators",
    "/projects/shop/data",
    "/projects/shop/quality",
    "/projects/shop/doubts",
    "/projects/shop/money",
    "/projects/shop/export",
    "/projects/shop/labels",
    "/projects/shop/export/jsonl",
    "/projects/shop/settings",
    "/projects/shop/actions",
    "/projects/shop/actions.csv",
    "/projects/shop/classes.csv",
    "/projects/shop/rounds/1",
    "/projects/shop/curve.csv",
    "/new",
)


def with_round(store, **settings):
    make_project(store, **settings)
    import_rows(store, items(10))
    commands.start_round(store, "shop", actor="test")


# --- sessions ---


def test_whoever_is_not_logged_in_is_led_to_the_door_and_back(browser, store):
    with_round(store)
    for path in PAGES:
        answer = browser.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login")
    login = browser.get("/projects/shop?before=3", follow_redirects=True)
    _, key = make_key(store, "viewer")
    wanted = re.search(r'name="next" value="([^"]+)"', login.text)[1]
    answer = browser.post("/login", data={"key": key, "csrf": token_in(login), "next": wanted})
    assert answer.headers["location"] == "/projects/shop?before=3"


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil", "/a\nb", ""]
)
def test_the_way_back_never_leads_elsewhere(browser, store, wanted):
    _, key = make_key(store, "viewer")
    token = token_in(browser.get("/login"))
    answer = browser.post("/login", data={"key": key, "csrf": token, "next": wanted})
    assert answer.headers["location"] == "/"


def test_the_cookie_is_safe_and_does_not_hold_the_key(browser, store):
    _, key = make_key(store, "viewer")
    token = token_in(browser.get("/login"))
    answer = browser.post("/login", data={"key": key, "csrf": token})
    cookie = answer.headers["set-cookie"]
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    assert key not in cookie
    assert key[8:] not in cookie


def test_behind_https_the_cookie_is_secure(store):
    app = create_app(make_parts(store, public_url="https://rounds.example"))
    with TestClient(app, headers=HTML) as browser:
        assert "secure" in browser.get("/login").headers["set-cookie"].lower()


def test_a_wrong_key_is_told_and_a_revoked_one_ends_the_session(browser, store):
    token = token_in(browser.get("/login"))
    wrong = browser.post("/login", data={"key": "rnd_wrong", "csrf": token})
    assert wrong.status_code == 401
    assert "unknown or revoked" in wrong.text
    log_in(browser, store)
    assert browser.get("/").status_code == 200
    api_keys.revoke_key(store, "operator", actor="test")
    assert browser.get("/").status_code == 303


def test_a_forged_cookie_is_nobody(browser, store):
    log_in(browser, store)
    cookie = browser.cookies["rounds_session"]
    browser.cookies.clear()
    forged = cookie[:5] + ("A" if cookie[5] != "A" else "B") + cookie[6:]
    browser.cookies.set("rounds_session", forged)
    assert browser.get("/").status_code == 303


def test_a_session_does_not_open_the_api(browser, store):
    log_in(browser, store)
    assert browser.get("/api/v1/projects").status_code == 401


def test_logging_out_ends_it(browser, store):
    token = log_in(browser, store)
    assert browser.post("/logout", data={"csrf": token}).headers["location"] == "/login"
    assert browser.get("/").status_code == 303


# --- forms ---


FORMS = [
    "/logout",
    "/theme",
    "/projects/shop/rounds",
    "/projects/shop/rounds/1/finish",
    "/projects/shop/rounds/1/cancel",
    "/projects/shop/rounds/1/resume",
]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "wrong", "é"])
def test_no_form_is_taken_without_its_token(browser, store, path, token):
    with_round(store)
    log_in(browser, store)
    answer = browser.post(path, data={"typed_name": "shop", **({"csrf": token} if token else {})})
    assert answer.status_code == 403
    assert "out of date" in answer.text
    assert not all_rows(store, "SELECT 1 FROM rounds WHERE cancel_requested OR finish_requested")


def test_the_login_form_has_a_token_of_its_own(browser, store):
    _, key = make_key(store, "viewer")
    assert browser.post("/login", data={"key": key}).status_code == 403
    token = token_in(browser.get("/login"))
    browser.cookies.clear()
    assert browser.post("/login", data={"key": key, "csrf": token}).status_code == 403


@pytest.mark.parametrize("path", FORMS[2:])
def test_viewers_cannot_steer(browser, store, path):
    with_round(store)
    token = log_in(browser, store, "viewer")
    answer = browser.post(path, data={"csrf": token, "typed_name": "shop"})
    assert answer.status_code == 403
    page = browser.get("/projects/shop").text
    assert "/cancel" not in page
    assert browser.get("/projects/shop/rounds/1/cancel").status_code == 403


def test_an_operator_starts_finishes_and_resumes(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    token = log_in(browser, store)
    page = browser.get("/projects/shop").text
    assert "shop is ready for its first round" in page
    assert "Start the next round" in page
    played.tool.fail_next("push", Refused("Argilla's key is not good."))
    started = browser.post("/projects/shop/rounds", data={"csrf": token})
    assert started.headers["location"] == "/projects/shop?done=started"
    assert "The round was started." in browser.get(started.headers["location"]).text
    played.run_until(1, RoundState.FAILED)
    page = browser.get("/projects/shop").text
    assert "Argilla&#39;s key is not good." in page
    assert "Resume round 1" in page
    browser.post("/projects/shop/rounds/1/resume", data={"csrf": token})
    played.run_until(1, RoundState.ANNOTATING)
    page = browser.get("/projects/shop").text
    assert "Round 1 is waiting for 12 of 12 answers." in page
    assert "Annotate in Argilla" in page
    asked = browser.get("/projects/shop/rounds/1/finish").text
    assert "0 of 12 answers" in asked
    browser.post("/projects/shop/rounds/1/finish", data={"csrf": token})
    played.run_until(1, RoundState.CLOSED)
    assert "Round 1 is closed" in browser.get("/projects/shop").text


def test_cancelling_says_what_will_happen_and_asks_for_the_name(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    played.run_until(played.start(), RoundState.ANNOTATING)
    played.answer(1, skip=9)
    played.tick()
    token = log_in(browser, store)
    asked = browser.get("/projects/shop/rounds/1/cancel").text
    assert "9 unanswered items go back to the pool" in asked
    wrong = browser.post(
        "/projects/shop/rounds/1/cancel", data={"csrf": token, "typed_name": "shp"}
    )
    assert wrong.status_code == 422
    assert "type the project" in wrong.text
    browser.post("/projects/shop/rounds/1/cancel", data={"csrf": token, "typed_name": "shop"})
    played.run_until(1, RoundState.CANCELLED)
    assert "was cancelled" in browser.get("/projects/shop").text


def test_what_cannot_be_done_is_explained_on_a_page(browser, store):
    with_round(store)
    token = log_in(browser, store)
    answer = browser.post("/projects/shop/rounds", data={"csrf": token})
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")
    assert "Round 1 is still open" in answer.text


def test_light_and_dark_are_chosen_and_kept(browser, store):
    token = log_in(browser, store)
    for theme in ("light", "dark"):
        browser.post("/theme", data={"csrf": token, "theme": theme, "back": "/docs"})
        assert f'data-theme="{theme}"' in browser.get("/").text
    browser.post("/theme", data={"csrf": token, "theme": "", "back": "/"})
    assert "data-theme" not in browser.get("/").text


# --- what pages say ---


def test_empty_states_name_the_next_command(browser, store):
    log_in(browser, store)
    assert "rounds init" in browser.get("/").text
    make_project(store)
    page = browser.get("/projects/shop").text
    assert "shop has no items yet." in page
    assert "rounds import shop" in page


def test_a_missing_worker_is_said(browser, store):
    with_round(store)
    log_in(browser, store)
    assert "No worker has been seen" in browser.get("/projects/shop").text
    store.worker_seen("one")
    assert "No worker has been seen" not in browser.get("/projects/shop").text


def test_the_curve_and_its_table_say_the_same(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    for _ in range(2):
        played.play(played.start())
    log_in(browser, store, "viewer")
    page = browser.get("/projects/shop").text
    assert page.count('class="point"') == 2
    assert "Accuracy is " in page
    rows = browser.get("/projects/shop/curve.csv").text.splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["1", "12"], ["2", "24"]]


def test_a_round_shows_its_batch_reasons_classes_and_steps(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    for _ in range(2):
        played.play(played.start())
    log_in(browser, store, "viewer")
    page = browser.get("/projects/shop/rounds/2").text
    assert page.count('<td class="why">') == 12
    assert "random check, for honest figures" in page
    assert "annotator-1" in page
    assert "evaluating" in page
    for label in played.project.task.labels:
        assert f'class="label">{label}</th>' in page
    item = browser.get("/projects/shop/rounds/2/selections/1").text
    assert "Chosen because" in item
    assert browser.get("/projects/shop/rounds/2/selections/99").status_code == 404


def test_long_lists_come_in_pages(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path, count=200, batch_size=70)
    played.run_until(played.start(), RoundState.ANNOTATING)
    log_in(browser, store, "viewer")
    first = browser.get("/projects/shop/rounds/1").text
    assert first.count('<td class="why">') == 50
    after = re.search(r"rounds/1\?after=(\d+)", first)[1]
    assert browser.get(f"/projects/shop/rounds/1?after={after}").text.count('"why"') == 20
    with store.transaction() as tx:
        tx.sql.run("SET LOCAL session_replication_role = replica")  # past the rules of movement
        tx.sql.run(
            "INSERT INTO rounds (project_id, number, state, strategy, classifier, batch_size, seed,"
            " settings, actor, closed_at, checkpoint) SELECT project_id, n, 'closed', strategy, "
            "classifier, 1, 0, settings, 'x', now(), '{\"labelled\": 1}' "
            "FROM rounds, generate_series(2, 10000) n WHERE number = 1"
        )
    page = browser.get("/projects/shop").text
    assert page.count('scope="row"') == 50
    assert ">10000</a>" in page
    older = re.search(r"\?before=(\d+)", page)[1]
    assert ">9950</a>" in browser.get(f"/projects/shop?before={older}").text


def test_texts_that_mean_harm_are_shown_as_texts(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path, count=60)
    import_rows(store, [
        {"id": f"<img src=x onerror=alert(1)>{n}", "text": f"{SCRIPT} \u202e {n} {'y' * 100_000}"}
        for n in range(20)
    ])  # fmt: skip
    played.run_until(played.start(), RoundState.ANNOTATING)
    with store.transaction() as tx:
        ranks = [
            one["rank"]
            for one in tx.views.selections(played.project.id, 1, 0, 100).items
            if SCRIPT in one["fields"]["text"]
        ]
    assert ranks
    log_in(browser, store, "viewer")
    for path in ("/projects/shop/rounds/1", f"/projects/shop/rounds/1/selections/{ranks[0]}"):
        page = browser.get(path)
        assert "&lt;script&gt;alert(1)" in page.text
        assert SCRIPT not in page.text
        assert "<img" not in page.text
    assert len(browser.get("/projects/shop/rounds/1").text) < 300_000


def test_every_page_obeys_the_policy(browser, store, tmp_path):
    played = PlayedProject(store, tmp_path)
    played.play(played.start())
    log_in(browser, store)
    for path in (
        *(path for path in PAGES if not path.endswith(".csv")),
        "/new",
        "/projects/shop/imported",
        "/docs",
        "/login",
        "/nowhere",
        "/projects/shop/rounds/1/selections/1",
    ):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        text = answer.text
        assert " style=" not in text
        assert not re.search(r"<script(?! src=\"/static/)", text)
        assert not re.search(r"\son\w+=", text)
        assert not re.search(
            r"(?:src|href)=\"(?:https?:)?//", text.replace("http://argilla.test", "")
        )


def test_the_reference_shows_every_route(browser, store):
    page = browser.get("/docs").text
    described = browser.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in methods:
            assert f'id="{method.upper()}-{path}"' in page


def test_a_defect_on_a_page_is_a_page(browser, store, monkeypatch):
    log_in(browser, store)

    def broken(*args, **more):
        raise RuntimeError("the text of an item")

    monkeypatch.setattr("app.adapters.postgres.views.PostgresViews.projects", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "the text of an item" not in answer.text


def test_without_a_database_pages_say_so(tmp_path):
    from app.adapters.postgres.engine import make_engine
    from app.adapters.postgres.store import PostgresStore

    parts = make_parts(PostgresStore(make_engine("postgresql://nobody@127.0.0.1:1/none")))
    with browsing(create_app(parts)) as browser:
        token = token_in(browser.get("/login"))
        answer = browser.post("/login", data={"key": "rnd_x", "csrf": token})
    assert answer.status_code == 503
    assert "does not answer" in answer.text
