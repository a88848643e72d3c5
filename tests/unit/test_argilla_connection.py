"""How the adapter behaves when Argilla, or what stands in its place, does not do as it should."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import stamina

from app.adapters.argilla import ArgillaTool
from app.adapters.argilla.connection import Connection, without_password
from app.core.errors import NotFound, Refused, Unavailable
from app.ports.annotation_tool import RecordOut

KEY = "argilla.apikey-very-secret"
URL = "http://argilla.test:6900"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_pauses_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def connection(handler: Handler, url: str = URL) -> Connection:
    return Connection(url, KEY, transport=httpx.MockTransport(handler))


def answering(*answers: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A server that gives these answers in turn, the last one for ever."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = answers[min(len(seen), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, seen


def reply(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    "trouble",
    [
        reply(500),
        reply(502),
        reply(503),
        reply(504),
        reply(429),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("no"),
        httpx.RemoteProtocolError("Server disconnected"),
    ],
    ids=str,
)
def test_what_passes_with_time_is_tried_again(trouble: httpx.Response | Exception) -> None:
    handler, seen = answering(trouble, reply(200, {"ok": True}))
    assert connection(handler).get("me") == {"ok": True}
    assert len(seen) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
def test_what_does_not_pass_is_not_tried_again(status: int) -> None:
    handler, seen = answering(reply(status, {"detail": "no"}))
    with pytest.raises(Refused):
        connection(handler).get("me")
    assert len(seen) == 1


@pytest.mark.parametrize("trouble", [reply(503), httpx.ConnectError("no"), httpx.ReadTimeout("x")])
def test_trouble_that_stays_is_unavailable_and_says_where(
    trouble: httpx.Response | Exception,
) -> None:
    handler, _ = answering(trouble)
    with pytest.raises(Unavailable, match=r"argilla\.test:6900") as caught:
        connection(handler).get("me")
    assert not isinstance(caught.value, Refused)


def test_nothing_there_says_which_setting_names_the_address() -> None:
    handler, _ = answering(httpx.ConnectError("no"))
    with pytest.raises(Unavailable, match="ROUNDS_ARGILLA_URL"):
        connection(handler).get("me")


def test_missing_is_not_found() -> None:
    handler, _ = answering(reply(404, {"detail": "Dataset with id `x` not found"}))
    with pytest.raises(NotFound, match="Dataset with id `x` not found"):
        connection(handler).get("datasets/x")


@pytest.mark.parametrize(
    "answer",
    [
        reply(401, {"detail": {"code": "argilla.api.errors::UnauthorizedError"}}),
        reply(403, {"detail": f"the key {KEY} may not"}),
        reply(422, {"detail": f"the key {KEY} is odd"}),
        reply(404, {"detail": KEY}),
        reply(500, {"detail": {"params": {"message": f"INSERT … {KEY}"}}}),
        httpx.ConnectError(KEY),
    ],
    ids=str,
)
def test_no_message_holds_the_key(answer: httpx.Response | Exception) -> None:
    handler, seen = answering(answer)
    with pytest.raises(Exception, match="argilla") as caught:
        connection(handler).get("me")
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert seen[0].headers["X-Argilla-Api-Key"] == KEY


def test_texts_in_a_server_error_are_not_repeated() -> None:
    body = {"detail": {"params": {"message": "INSERT … 'my private text'"}}}
    handler, _ = answering(reply(500, body))
    with pytest.raises(Unavailable) as caught:
        connection(handler).get("me")
    assert "private" not in str(caught.value)


def test_a_password_in_the_address_is_not_shown() -> None:
    assert without_password("https://me:secret@host:6900/argilla/") == "https://host:6900/argilla"
    handler, _ = answering(httpx.ConnectError("no"))
    with pytest.raises(Unavailable) as caught:
        connection(handler, "http://me:secret@argilla.test").get("me")
    assert "secret" not in str(caught.value)


def test_a_redirect_and_another_program_are_named() -> None:
    moved = httpx.Response(307, headers={"location": "https://argilla.test/"})
    with pytest.raises(Refused, match=r"https://argilla\.test/"):
        connection(answering(moved)[0]).get("me")
    page = httpx.Response(200, text="<html>hello</html>")
    with pytest.raises(Refused, match="not Argilla's API"):
        connection(answering(page)[0]).get("me")


def test_a_path_in_the_address_is_kept() -> None:
    handler, seen = answering(reply(200, {}))
    connection(handler, "http://host/argilla/").get("me")
    assert str(seen[0].url) == "http://host/argilla/api/v1/me"


def test_a_ping_does_not_wait_for_better_times() -> None:
    handler, seen = answering(reply(503))
    tool = ArgillaTool(URL, KEY, "rounds", transport=httpx.MockTransport(handler))
    with pytest.raises(Unavailable):
        tool.ping()
    assert len(seen) == 1


def test_annotators_get_a_link_that_sorts_the_newest_and_most_valuable_first() -> None:
    dataset_id = uuid4()
    tool = ArgillaTool("http://inside:6900", KEY, "rounds", public_url="https://outside/")
    assert tool.annotate_url(dataset_id) == (
        f"https://outside/dataset/{dataset_id}/annotation-mode"
        "?page=1&status=pending&sort=metadata.round.asc~metadata.rank.asc"
    )


# --- push over a server that misbehaves ---


class BulkServer:
    """Argilla's bulk endpoint as far as a push sees it; `judge` may answer in its place."""

    def __init__(self, judge: Callable[[list[Any]], httpx.Response | None]) -> None:
        self.judge = judge
        self.stored: dict[str, str] = {}
        self.sizes: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/questions"):
            return reply(200, {"items": [{"id": str(uuid4()), "required": True}]})
        if request.url.path.endswith("/metadata-properties"):
            return reply(200, {"items": []})
        items = json.loads(request.content)["items"]
        self.sizes.append(len(items))
        if (verdict := self.judge(items)) is not None:
            return verdict
        for item in items:
            self.stored.setdefault(item["external_id"], str(uuid4()))
        return reply(200, {"items": [self._shown(item["external_id"]) for item in items]})

    def _shown(self, name: str) -> dict[str, str]:
        return {"id": self.stored[name], "external_id": name}


def push(server: BulkServer, count: int) -> Any:
    tool = ArgillaTool(URL, KEY, "rounds", transport=httpx.MockTransport(server))
    batch = [RecordOut(f"item-{n}", {"text": f"text {n}"}, {}) for n in range(count)]
    return tool.push(UUID(int=1), batch)


def having(items: list[Any], *numbers: int) -> bool:
    return bool({item["external_id"] for item in items} & {f"item-{n}" for n in numbers})


def test_a_refusal_that_names_no_record_is_narrowed_down() -> None:
    server = BulkServer(
        lambda items: reply(422, {"detail": "something is odd"}) if having(items, 3, 60) else None
    )
    report = push(server, 100)
    assert set(report.refused) == {"item-3", "item-60"}
    assert len(report.accepted) == 98
    assert all("something is odd" in reason for reason in report.refused.values())


def test_a_record_over_which_argilla_breaks_does_not_stop_the_others() -> None:
    server = BulkServer(lambda items: reply(500) if having(items, 7) else None)
    report = push(server, 20)
    assert set(report.refused) == {"item-7"}
    assert len(report.accepted) == 19


def test_an_argilla_that_breaks_over_everything_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        push(BulkServer(lambda items: reply(500)), 5)


def test_an_error_after_the_commit_is_pushed_again_and_doubles_nothing() -> None:
    first = iter([True])

    class Forgetful(BulkServer):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            if request.method == "PUT" and next(first, False):
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
            return answer

    server = Forgetful(lambda items: None)
    report = push(server, 10)
    assert {name: str(one) for name, one in report.accepted.items()} == server.stored
    assert server.sizes == [10, 10]


def test_batches_are_small_in_number_and_bytes() -> None:
    server = BulkServer(lambda items: None)
    push(server, 250)
    assert server.sizes == [100, 100, 50]
    tool = ArgillaTool(URL, KEY, "rounds", transport=httpx.MockTransport(server))
    server.sizes.clear()
    long = [RecordOut(f"item-{n}", {"text": "x" * 1_500_000}, {}) for n in range(5)]
    assert len(tool.push(UUID(int=1), long).accepted) == 5
    assert server.sizes == [2, 2, 1]


def test_the_same_record_twice_is_sent_once() -> None:
    server = BulkServer(lambda items: None)
    tool = ArgillaTool(URL, KEY, "rounds", transport=httpx.MockTransport(server))
    twice = [RecordOut("item-1", {"text": text}, {}) for text in ("old", "new")]
    assert len(tool.push(UUID(int=1), twice).accepted) == 1
    assert server.sizes == [1]
