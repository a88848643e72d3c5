"""Every route asks for a key of its role; every answer is a problem or what is documented."""

import json

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.api.routes import api_router
from app.main import create_app
from app.rounds import api_keys
from tests.factories import make_project
from tests.serving import bearer, make_key, make_parts

pytestmark = pytest.mark.postgres
SHOP = "/api/v1/projects/shop"
OPEN = {"/webhooks/argilla", "/healthz", "/readyz", "/metrics"}
SMALLER = {"operator": "viewer", "admin": "operator"}


def roles_of_routes(routes, prefix=""):
    """(method, path, role needed) of every route of the API; None where there is none."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from roles_of_routes(inner.routes)
        elif isinstance(route, APIRoute):
            roles = [
                d.call.role.value for d in route.dependant.dependencies if hasattr(d.call, "role")
            ]
            for method in route.methods:
                yield method, route.path, roles[0] if roles else None


ROUTES = sorted(roles_of_routes(api_router().routes), key=str)
KEYED = [route for route in ROUTES if route[1] not in OPEN]


@pytest.fixture
def client(store):
    app = create_app(make_parts(store))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_the_walk_sees_every_route():
    assert len(ROUTES) >= 23
    assert {path for _, path, role in ROUTES if role is None} == OPEN
    documented = create_app(make_parts(None)).openapi()["paths"]
    walked = {(method.lower(), path) for method, path, _ in ROUTES}
    assert walked == {(method, path) for path, ops in documented.items() for method in ops}


def ask(client, method, path, key=None):
    address = path.format(name="shop", number=1, job=1, key_name="viewer")
    body = {"json": {}} if method in ("POST", "PATCH") else {}
    return client.request(method, address, headers=bearer(key) if key else {}, **body)


def test_every_route_refuses_without_a_key_and_with_an_unknown_one(client, store):
    make_project(store)
    for method, path, _ in KEYED:
        for key in (None, "rnd_unknown"):
            answer = ask(client, method, path, key)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["code"] == "not-authenticated"


def test_every_route_refuses_a_key_whose_role_is_too_small(client, store):
    make_project(store)
    keys = {role: make_key(store, role)[1] for role in ("viewer", "operator")}
    for method, path, role in KEYED:
        if role in SMALLER:
            answer = ask(client, method, path, keys[SMALLER[role]])
            assert answer.status_code == 403, (method, path)
            assert answer.json()["needed"] == role


def test_reading_is_for_viewers_changing_for_operators_keys_and_deleting_for_admins():
    for method, path, role in KEYED:
        everywhere = "/keys" in path or "/bundle" in path or path == "/api/v1/actions"
        if everywhere or method == "DELETE" or path.endswith("/restore"):
            assert role == "admin"
        else:
            reads = method == "GET" or path.endswith(("/predict", "/foresee"))
            assert role == ("viewer" if reads else "operator"), (method, path)


def test_a_revoked_key_ends_at_once(client, store):
    _, key = make_key(store, "viewer")
    assert client.get("/api/v1/projects", headers=bearer(key)).status_code == 200
    api_keys.revoke_key(store, "viewer", actor="test")
    assert client.get("/api/v1/projects", headers=bearer(key)).status_code == 401


def test_keys_are_made_shown_once_and_revoked(client, store):
    _, admin = make_key(store, "admin")
    made = client.post(
        "/api/v1/keys", json={"name": "ci/é", "role": "viewer"}, headers=bearer(admin)
    )
    assert made.status_code == 201
    key = made.json()["key"]
    assert client.get("/api/v1/projects", headers=bearer(key)).status_code == 200
    listed = client.get("/api/v1/keys", headers=bearer(admin))
    assert key not in listed.text
    again = client.post(
        "/api/v1/keys", json={"name": "ci/é", "role": "viewer"}, headers=bearer(admin)
    )
    assert again.status_code == 409
    bad = client.post("/api/v1/keys", json={"name": "x", "role": "boss"}, headers=bearer(admin))
    assert (bad.status_code, bad.json()["field"]) == (422, "role")
    gone = client.delete("/api/v1/keys/admin", headers=bearer(admin))
    assert gone.status_code == 204
    assert client.get("/api/v1/keys", headers=bearer(admin)).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/api/v1/nowhere", None, 404, "not-found", None),
        ("GET", "/api/v1/projects/none", None, 404, "not-found", None),
        ("GET", "/api/v1/projects/a%00b", None, 404, "not-found", None),
        ("GET", "/api/v1/projects/shop/rounds/7", None, 404, "not-found", None),
        ("GET", "/api/v1/projects/shop/rounds/x", None, 422, "wrong-input", "number"),
        ("GET", "/api/v1/projects/shop/rounds/0", None, 422, "wrong-input", "number"),
        ("GET", f"/api/v1/projects/shop/labels?after={2**63}", None, 422, "wrong-input", "after"),
        ("GET", "/api/v1/projects/shop/labels?limit=0", None, 422, "wrong-input", "limit"),
        ("PUT", "/api/v1/projects", None, 405, "method-not-allowed", None),
        ("POST", "/api/v1/projects", b"{", 400, "malformed", None),
        ("POST", "/api/v1/projects", b"[1]", 422, "wrong-input", "body"),
        ("POST", "/api/v1/projects", b"[" * 100_000, 400, "malformed", None),
        ("POST", "/api/v1/projects", b'{"name": "x"}', 422, "wrong-input", "task"),
        ("POST", "/api/v1/projects", b" " * (2**20 + 1), 413, "too-large", None),
        ("PATCH", SHOP, b'{"batch_size": "5"}', 422, "wrong-input", "batch_size"),
        ("PATCH", SHOP, b'{"batch_size": 0}', 422, "wrong-input", "batch_size"),
        ("PATCH", SHOP, b'{"colour": 1}', 422, "wrong-input", "colour"),
        ("PATCH", SHOP, b'{"state": "x"}', 422, "wrong-input", "state"),
        ("PATCH", SHOP, b'{"strategy": "x"}', 422, "wrong-input", "strategy"),
        ("PATCH", SHOP, b'{"embeddings": "local"}', 422, "wrong-input", "embeddings"),
        ("PATCH", SHOP, b'{"embeddings": "http://x"}', 422, "wrong-input", "embeddings"),
        ("PATCH", SHOP, b'{"guidelines": "\\u0000"}', 422, "wrong-input", "body"),
        ("PATCH", SHOP, b'{"guidelines": "\\ud800"}', 422, "wrong-input", "body"),
        ("POST", "/api/v1/projects/shop/rounds", b"", 409, "conflict", None),
    ],
)  # fmt: skip
def test_errors_are_problems(client, store, method, path, body, status, code, field):
    make_project(store)
    _, key = make_key(store, "admin")
    headers = {**bearer(key), "Content-Type": "application/json"}
    answer = client.request(method, path, content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    told = answer.json()
    assert (told["status"], told["code"], told["field"]) == (status, code, field), told
    assert told["title"]
    assert told["detail"]
    assert told["type"] == f"urn:rounds:problem:{code}"
    assert told["instance"].startswith("/")


def test_a_wrong_method_is_told_the_right_ones(client):
    answer = client.put("/api/v1/projects/shop")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PATCH")
    assert client.delete("/api/v1/projects").headers["allow"] == "GET, POST"


def test_a_body_that_grows_beyond_its_bound_is_refused_whatever_it_says_of_itself(client, store):
    _, key = make_key(store, "admin")

    def endless():
        for _ in range(20):
            yield b" " * 100_000

    headers = {**bearer(key), "Content-Type": "application/json"}
    answer = client.post("/api/v1/projects", content=endless(), headers=headers)
    assert answer.status_code == 413


class Defect(Exception):
    pass


def test_a_defect_tells_nothing_and_logs_where_not_what(client, store, monkeypatch, capsys):
    _, key = make_key(store, "viewer")

    def broken(*args):
        raise Defect("the text of an item")

    monkeypatch.setattr("app.adapters.postgres.views.PostgresViews.projects", broken)
    answer = client.get("/api/v1/projects", headers=bearer(key))
    assert answer.status_code == 500
    assert answer.json()["code"] == "unexpected"
    log = capsys.readouterr().out
    assert "Defect" in log
    assert "test_api_access.py" in log
    assert "the text of an item" not in log + answer.text
    assert key not in log


def test_requests_are_logged_by_template_and_key_name(client, store, capsys):
    make_project(store)
    _, key = make_key(store, "viewer", name="reader")
    capsys.readouterr()
    client.get("/api/v1/projects/shop", headers=bearer(key))
    log = capsys.readouterr().out
    assert "/api/v1/projects/{name}" in log
    assert "reader" in log
    assert key not in log


def test_every_answer_has_security_headers(client):
    for path in ("/healthz", "/nowhere", "/api/v1/projects"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_project_says_which_fields_leave_the_house(client, store):
    offered = create_app(make_parts(store, encoders={"address": object()}))
    key = make_key(store, "operator")[1]
    make_project(store, fields=["subject", "text"])
    assert client.get(SHOP, headers=bearer(key)).json()["fields_sent"] == []
    with TestClient(offered) as other:
        answer = other.patch(SHOP, headers=bearer(key), json={"embeddings": "address"})
    assert answer.json()["embeddings"] == "address"
    assert answer.json()["fields_sent"] == ["subject", "text"]


def test_the_description_names_every_status_and_has_examples():
    described = create_app(make_parts(None)).openapi()
    json.dumps(described)
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            assert operation["summary"], (method, path)
            if path in OPEN:
                continue
            assert {"401", "403", "500", "503"} <= statuses, (method, path)
            assert operation["security"] == [{"HTTPBearer": []}], (method, path)
            for status in statuses:
                if status >= "400":
                    content = operation["responses"][status]["content"]
                    assert list(content) == ["application/problem+json"], (method, path, status)
    assert described["components"]["schemas"]["NewProject"]["examples"]
    assert described["components"]["schemas"]["RoundOut"]["examples"]
    assert "HTTPValidationError" not in json.dumps(described)
