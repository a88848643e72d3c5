"""The Argilla adapter against a real server: crashes, races and odd keys."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from app.adapters.argilla import ArgillaTool
from app.adapters.argilla.connection import Connection
from app.adapters.argilla.scanning import Scan
from app.api.announcing import answer_in, dataset_of
from app.api.webhooks import verified
from app.core.errors import NotAuthenticated, Refused, WrongInput
from app.core.tasks import Question
from app.ports.annotation_tool import (
    DatasetSpec,
    MetadataProperty,
    RecordOut,
    ResponseIn,
    Suggestion,
)
from app.rounds.announced import Announced
from tests.argilla_hands import ArgillaHands
from tests.relay import Relay
from tests.services import ArgillaService

pytestmark = pytest.mark.argilla

PROPERTIES = (
    MetadataProperty("round", "integer", "Round"),
    MetadataProperty("rank", "integer", "Rank"),
    MetadataProperty("score", "float", "Score", visible=False),
)


@pytest.fixture
def hands(argilla: ArgillaService) -> ArgillaHands:
    return ArgillaHands(argilla)


@pytest.fixture
def tool(argilla: ArgillaService) -> Iterator[ArgillaTool]:
    tool = ArgillaTool(argilla.url, argilla.owner.api_key, argilla.workspace)
    yield tool
    tool.close()


@pytest.fixture
def spec(hands: ArgillaHands) -> Iterator[DatasetSpec]:
    spec = DatasetSpec(
        name=f"tool-{uuid4().hex}",
        fields=("title", "text"),
        question=Question("label", "label", "Label", ("refund", "delivery", "praise")),
        guidelines="Choose what fits best.",
        min_submitted=2,
        properties=PROPERTIES,
    )
    yield spec
    for dataset in hands.call("GET", "me/datasets", params={"name": spec.name})["items"]:
        hands.delete_dataset(dataset["id"])


def record(number: int, **more: Any) -> RecordOut:
    fields = {"title": f"title {number}", "text": f"text {number}"}
    given = {"fields": fields, "metadata": {"round": 1, "rank": number}, **more}
    return RecordOut(external_id=f"item-{number}", **given)


def datasets_of(hands: ArgillaHands, spec: DatasetSpec) -> list[Any]:
    return list(hands.call("GET", "me/datasets", params={"name": spec.name})["items"])


# --- datasets ---


def test_everything_that_was_asked_for_is_in_the_dataset(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    dataset = hands.call("GET", f"datasets/{dataset_id}")
    assert dataset["status"] == "ready"
    assert dataset["guidelines"] == spec.guidelines
    assert dataset["distribution"] == {"strategy": "overlap", "min_submitted": 2}
    fields = hands.call("GET", f"datasets/{dataset_id}/fields")["items"]
    assert [one["name"] for one in fields] == ["title", "text"]
    path = f"me/datasets/{dataset_id}/metadata-properties"
    seen = hands.call("GET", path, as_=hands.service.annotators[0])["items"]
    assert [one["name"] for one in seen] == ["round", "rank"]


def test_the_official_client_reads_the_dataset_as_one_of_its_own(
    argilla: ArgillaService, tool: ArgillaTool, spec: DatasetSpec
) -> None:
    import argilla as rg

    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(1, suggestion=Suggestion("refund", 0.75, "svc.v1/1"))])
    client = rg.Argilla(api_url=argilla.url, api_key=argilla.owner.api_key)
    dataset = client.datasets(spec.name, workspace=argilla.workspace)
    assert dataset.settings.questions[0].labels == list(spec.question.options)
    assert dataset.settings.distribution.min_submitted == 2
    (found,) = dataset.records(with_suggestions=True).to_list(flatten=True)
    assert found["title"] == "title 1"
    assert found["label.suggestion"] == "refund"
    assert found["label.suggestion.score"] == 0.75


@pytest.mark.parametrize("made", ["nothing", "fields", "questions", "properties"])
def test_a_draft_left_by_a_crash_is_completed(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec, made: str
) -> None:
    draft = _crash_while_making(hands, spec, after=made)
    reference = tool.ensure_dataset(spec)
    assert str(reference.dataset_id) == draft
    assert tool.push(reference.dataset_id, [record(1)]).accepted
    assert len(datasets_of(hands, spec)) == 1


def _crash_while_making(hands: ArgillaHands, spec: DatasetSpec, *, after: str) -> str:
    """Let the adapter itself begin, and die at the first request of the next kind."""
    steps = ["nothing", "fields", "questions", "properties", "publish"]
    paths = {"properties": "metadata-properties"}
    fatal = steps[steps.index(after) + 1]

    class Died(Exception):
        pass

    class Dying(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            writes = request.method in ("POST", "PUT")
            if writes and request.url.path.endswith("/" + paths.get(fatal, fatal)):
                raise Died
            return super().handle_request(request)

    service = hands.service
    dying = ArgillaTool(service.url, service.owner.api_key, service.workspace, transport=Dying())
    with pytest.raises(Died):
        dying.ensure_dataset(spec)
    (dataset,) = datasets_of(hands, spec)
    assert dataset["status"] == "draft"
    return str(dataset["id"])


def test_a_draft_with_other_labels_makes_way(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    question = replace(spec.question, options=("something", "else"))
    _crash_while_making(hands, replace(spec, question=question), after="properties")
    dataset_id = tool.ensure_dataset(spec).dataset_id
    report = tool.push(dataset_id, [record(1, suggestion=Suggestion("refund", 0.5, "a/1"))])
    assert not report.refused
    assert len(datasets_of(hands, spec)) == 1


def test_many_at_once_come_to_one_dataset(
    argilla: ArgillaService, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    def ensure(_: int) -> UUID:
        tool = ArgillaTool(argilla.url, argilla.owner.api_key, argilla.workspace)
        return tool.ensure_dataset(spec).dataset_id

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(ensure, range(4)))
    assert len(found) == 1
    assert len(datasets_of(hands, spec)) == 1
    path = f"datasets/{found.pop()}/fields"
    assert [one["name"] for one in hands.call("GET", path)["items"]] == ["title", "text"]


def test_visibility_follows_the_spec(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    hidden = tuple(replace(one, visible=False) for one in spec.properties)
    tool.ensure_dataset(replace(spec, properties=hidden))
    path = f"me/datasets/{dataset_id}/metadata-properties"
    assert hands.call("GET", path, as_=hands.service.annotators[0])["items"] == []


def test_metadata_of_another_kind_is_refused(tool: ArgillaTool, spec: DatasetSpec) -> None:
    tool.ensure_dataset(spec)
    other = replace(spec, properties=(MetadataProperty("rank", "terms", "Rank"),))
    with pytest.raises(Refused, match="'rank' is integer, not terms"):
        tool.ensure_dataset(other)


QUESTIONS = [
    (Question("labels", "labels", "Labels", ("a", "b", "c")), ["a", "c"]),
    (Question("summary", "text", "Summary", ()), "short"),
    (Question("rating", "rating", "Rating", ("1", "2", "3")), 3),
    (
        Question("ranking", "ranking", "Ranking", ("x", "y")),
        [{"value": "y", "rank": 1}, {"value": "x", "rank": 2}],
    ),
    (
        Question("spans", "span", "Spans", ("person",), description="Mark the names."),
        [{"label": "person", "start": 0, "end": 5}],
    ),
]


@pytest.mark.parametrize(("question", "value"), QUESTIONS, ids=lambda one: getattr(one, "kind", ""))
def test_every_kind_of_question_can_be_asked_suggested_and_answered(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec, question: Question, value: Any
) -> None:
    spec = replace(spec, question=question)
    dataset_id = tool.ensure_dataset(spec).dataset_id
    assert tool.ensure_dataset(spec).dataset_id == dataset_id
    report = tool.push(dataset_id, [record(1, suggestion=Suggestion(value, 0.5, "a/1"))])
    assert not report.refused
    hands.answer(dataset_id, "item-1", value)
    (answer,) = tool.look(dataset_id).responses
    assert answer.values == {question.name: value}


def test_many_labels_fit(tool: ArgillaTool, spec: DatasetSpec) -> None:
    labels = tuple(f"label {number}" for number in range(500))
    spec = replace(spec, question=replace(spec.question, options=labels))
    dataset_id = tool.ensure_dataset(spec).dataset_id
    assert tool.ensure_dataset(spec).dataset_id == dataset_id


def test_unknown_kinds_of_question_are_wrong_input(tool: ArgillaTool, spec: DatasetSpec) -> None:
    with pytest.raises(WrongInput, match="kind 'telepathy'"):
        tool.ensure_dataset(replace(spec, question=replace(spec.question, kind="telepathy")))


def test_what_argilla_refuses_comes_with_its_reason(tool: ArgillaTool, spec: DatasetSpec) -> None:
    with pytest.raises(Refused, match="guidelines"):
        tool.ensure_dataset(replace(spec, guidelines="x" * 10_001))


def test_the_link_leads_to_the_oldest_round_and_its_most_valuable_record(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    """The link's parameters, read as Argilla's UI reads them, and asked as it asks."""
    reference = tool.ensure_dataset(spec)
    order = [(1, 2), (2, 2), (1, 1), (2, 1), (2, 10)]
    tool.push(
        reference.dataset_id,
        [record(n, metadata={"round": of, "rank": rank}) for n, (of, rank) in enumerate(order)],
    )
    asked = parse_qs(urlsplit(reference.annotate_url).query)
    assert asked["status"] == ["pending"]
    terms = [one.split(".") for one in asked["sort"][0].split("~")]
    body = {
        "sort": [
            {"scope": {"entity": entity, "metadata_property": name}, "order": direction}
            for entity, name, direction in terms
        ]
    }
    path = f"me/datasets/{reference.dataset_id}/records/search"
    found = hands.call("POST", path, as_=hands.service.annotators[0], json=body)["items"]
    shown = [one["record"]["metadata"] for one in found]
    assert [(one["round"], one["rank"]) for one in shown] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
        (2, 10),
    ]


# --- push ---


def test_the_same_records_from_two_sides_at_once(
    argilla: ArgillaService, tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    batch = [record(number) for number in range(1, 81)]

    def push(_: int) -> dict[str, UUID]:
        other = ArgillaTool(argilla.url, argilla.owner.api_key, argilla.workspace)
        return dict(other.push(dataset_id, batch).accepted)

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(push, range(3))
    assert all(one == first for one in others)
    assert len(hands.records(dataset_id)) == 80


def test_ten_bad_of_a_hundred(tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    wrong = Suggestion("no such label", 0.5, "a/1")
    batch = [record(n, suggestion=wrong if n % 10 == 0 else None) for n in range(1, 101)]
    report = tool.push(dataset_id, batch)
    assert len(report.accepted) == 90
    assert len(report.refused) == 10
    assert all("no such label" in reason for reason in report.refused.values())
    assert len(hands.records(dataset_id)) == 90


def test_values_of_the_wrong_form_are_found_by_position(
    tool: ArgillaTool, spec: DatasetSpec
) -> None:
    """Malformed requests are answered in another form than invalid ones."""
    dataset_id = tool.ensure_dataset(spec).dataset_id
    odd = Suggestion({"not": "a label"}, 0.5, "a/1")
    report = tool.push(dataset_id, [record(1), record(2, suggestion=odd), record(3)])
    assert set(report.accepted) == {"item-1", "item-3"}
    assert "suggestions" in report.refused["item-2"]


def test_whole_numbers_where_argilla_wants_floats(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    metadata: Any = {"score": 1, "rank": 2.0, "free": True}
    report = tool.push(dataset_id, [record(1, metadata=metadata)])
    assert not report.refused
    assert hands.record(dataset_id, "item-1")["metadata"] == {"score": 1, "rank": 2, "free": True}


def test_agents_get_names_that_argilla_takes(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(1, suggestion=Suggestion("refund", 1.0000001, "a@b (c)/1"))])
    (suggestion,) = hands.record(dataset_id, "item-1")["suggestions"]
    assert (suggestion["agent"], suggestion["score"]) == ("a-b -c-/1", 1.0)


# --- collection ---


def test_records_added_by_hand_are_left_out(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(1)])
    ours = hands.call("GET", "me", as_=hands.service.annotators[0])
    added = hands.add_record(dataset_id, {"title": "by hand", "text": "by hand"})
    body = {"values": {"label": {"value": "refund"}}, "status": "submitted"}
    path = f"records/{added}/responses"
    hands.call("POST", path, as_=hands.service.annotators[0], json=body)
    hands.answer(dataset_id, "item-1", "praise")
    (found,) = tool.look(dataset_id).responses
    assert (found.external_id, str(found.user_id)) == ("item-1", ours["id"])


def test_no_answer_is_missed_while_records_are_deleted(
    argilla: ArgillaService, tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    """Delete a record of an earlier page between any two pages of the reading."""
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(number) for number in range(1, 41)])
    for number in range(20, 41):
        hands.answer(dataset_id, f"item-{number}", "refund")
    doomed = iter(range(1, 6))

    class Meddling(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            answer.read()
            if (number := next(doomed, None)) is not None:
                hands.delete_record(dataset_id, f"item-{number}")
            return answer

    connection = Connection(argilla.url, argilla.owner.api_key, transport=Meddling())
    rows = Scan(connection, page=10, overlap=2).records(dataset_id)
    answered = {row["external_id"] for row in rows if row["responses"]}
    assert answered == {f"item-{number}" for number in range(20, 41)}
    assert next(doomed, None) is None


def test_paging_reads_each_record_once(
    argilla: ArgillaService, tool: ArgillaTool, spec: DatasetSpec
) -> None:
    dataset_id = tool.ensure_dataset(spec).dataset_id
    for count in (0, 1, 9, 10, 11, 21):
        tool.push(dataset_id, [record(number) for number in range(1, count + 1)])
        connection = Connection(argilla.url, argilla.owner.api_key)
        rows = Scan(connection, page=10, overlap=3).records(dataset_id)
        assert [row["external_id"] for row in rows] == [f"item-{n}" for n in range(1, count + 1)]


# --- withdrawal ---


def test_an_answer_given_at_the_last_moment_is_kept(
    argilla: ArgillaService, tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    """Between the first look at everything and the deletion somebody answers."""
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(number) for number in range(1, 4)])
    answers = iter(["item-2"])

    class Meddling(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            answer.read()
            if request.url.path.endswith("/records") and (name := next(answers, None)):
                hands.answer(dataset_id, name, "refund")
            return answer

    meddled = ArgillaTool(
        argilla.url, argilla.owner.api_key, argilla.workspace, transport=Meddling()
    )
    report = meddled.withdraw(dataset_id, ["item-1", "item-2", "item-3"])
    assert (list(report.withdrawn), list(report.kept)) == (["item-1", "item-3"], ["item-2"])
    assert [one.external_id for one in tool.look(dataset_id).responses] == ["item-2"]


def test_a_list_that_moves_while_we_withdraw_hides_no_answer(
    argilla: ArgillaService, tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    """After our first look somebody deletes earlier records and answers one of ours."""
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(number) for number in range(1, 11)])
    events = iter([True])

    class Meddling(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            answer.read()
            if request.url.path.endswith("/records") and next(events, False):
                for number in (1, 2, 3):
                    hands.delete_record(dataset_id, f"item-{number}")
                hands.answer(dataset_id, "item-5", "refund")
            return answer

    meddled = ArgillaTool(
        argilla.url, argilla.owner.api_key, argilla.workspace, transport=Meddling()
    )
    names = [f"item-{number}" for number in range(4, 8)]
    assert list(meddled.withdraw(dataset_id, names).kept) == ["item-5"]
    left = {one["external_id"] for one in hands.records(dataset_id)}
    assert left == {"item-5", "item-8", "item-9", "item-10"}


# --- a bad line ---


def test_replies_lost_on_the_way_back_lose_and_double_nothing(
    argilla: ArgillaService, hands: ArgillaHands, spec: DatasetSpec
) -> None:
    """Argilla does what it is asked, and we do not always hear of it."""
    names = [f"item-{number}" for number in range(1, 251)]
    with Relay(argilla.url) as relay:
        tool = ArgillaTool(relay.url, argilla.owner.api_key, argilla.workspace)
        relay.lose_every(5)
        dataset_id = tool.ensure_dataset(spec).dataset_id
        report = tool.push(dataset_id, [record(number) for number in range(1, 251)])
        hands.answer(dataset_id, "item-7", "refund")
        assert [one.external_id for one in tool.look(dataset_id).responses] == ["item-7"]
        withdrawn = tool.withdraw(dataset_id, names[:20])
        tool.close()
        assert relay.lost > 3
    assert (set(report.accepted), report.refused) == (set(names), {})
    assert len(datasets_of(hands, spec)) == 1
    assert list(withdrawn.kept) == ["item-7"]
    left = {one["external_id"] for one in hands.records(dataset_id)}
    assert left == {"item-7", *names[20:]}


# --- keys and webhooks ---


def test_an_annotators_key_will_not_do(argilla: ArgillaService) -> None:
    tool = ArgillaTool(argilla.url, argilla.annotators[0].api_key, argilla.workspace)
    with pytest.raises(Refused, match="annotator"):
        tool.ping()


def test_a_wrong_key_is_refused_and_not_repeated(argilla: ArgillaService) -> None:
    with pytest.raises(Refused, match="ROUNDS_ARGILLA_API_KEY") as caught:
        ArgillaTool(argilla.url, "wrong-key-7", argilla.workspace).ping()
    assert "wrong-key-7" not in str(caught.value)


@pytest.fixture
def admin_key(hands: ArgillaHands) -> Iterator[str]:
    """An admin who is a member of the workspace, as a careful owner would give us."""
    name = f"admin-{uuid4().hex[:8]}"
    body = {"username": name, "first_name": name, "password": uuid4().hex, "role": "admin"}
    user = hands.call("POST", "users", json=body)
    mine = hands.call("GET", "me/workspaces")["items"]
    workspace = next(one["id"] for one in mine if one["name"] == hands.service.workspace)
    hands.call("POST", f"workspaces/{workspace}/users", json={"user_id": user["id"]})
    yield user["api_key"]
    hands.call("DELETE", f"users/{user['id']}")


def test_an_admin_of_the_workspace_is_enough(
    argilla: ArgillaService, hands: ArgillaHands, spec: DatasetSpec, admin_key: str
) -> None:
    tool = ArgillaTool(argilla.url, admin_key, argilla.workspace)
    tool.ping()
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(1), record(2)])
    hands.answer(dataset_id, "item-1", "refund")
    (found,) = tool.look(dataset_id).responses
    assert tool.usernames()[found.user_id] == argilla.annotators[0].username
    assert tool.withdraw(dataset_id, ["item-1", "item-2"]).withdrawn == ["item-2"]
    assert tool.ensure_webhook("http://127.0.0.1:9/never") is None


def test_a_workspace_that_is_not_ours_is_named(argilla: ArgillaService, admin_key: str) -> None:
    tool = ArgillaTool(argilla.url, admin_key, "somebody-elses")
    question = Question("label", "label", "Label", ("a", "b"))
    with pytest.raises(Refused, match="no workspace 'somebody-elses'"):
        tool.ensure_dataset(DatasetSpec("x", ("text",), question, None, 1, ()))


class Receiver(BaseHTTPRequestHandler):
    """Takes webhooks and passes them on to the test."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.put((dict(self.headers.items()), body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received = Queue()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_comes_as_a_webhook_whose_signature_is_good(
    tool: ArgillaTool, hands: ArgillaHands, spec: DatasetSpec, receiver: ThreadingHTTPServer
) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/webhooks/argilla"
    dataset_id = tool.ensure_dataset(spec).dataset_id
    tool.push(dataset_id, [record(1)])
    secret = tool.ensure_webhook(url)
    assert secret is not None
    seen: list[ResponseIn] = []
    try:
        headers, body = _message_after_answers(hands, tool, dataset_id, receiver, seen)
    finally:
        for one in hands.call("GET", "webhooks")["items"]:
            if one["url"] == url:
                hands.call("DELETE", f"webhooks/{one['id']}")
    message = verified(secret, headers, body)
    assert dataset_of(message) == dataset_id
    assert message["type"] in ("response.created", "response.updated")
    assert message["data"]["record"]["external_id"] == "item-1"
    # to the microsecond, or one answer would be two revisions
    assert _as_a_look_sees_it(answer_in(message)) in seen
    with pytest.raises(NotAuthenticated):
        verified(secret, headers, body.replace(b"item-1", b"item-2"))


def _as_a_look_sees_it(told: Announced | None) -> ResponseIn:
    assert told is not None
    known = {field.name: getattr(told, field.name) for field in fields(ResponseIn)}
    return ResponseIn(**known)


def _message_after_answers(
    hands: ArgillaHands,
    tool: ArgillaTool,
    dataset_id: UUID,
    receiver: ThreadingHTTPServer,
    seen: list[ResponseIn],
) -> tuple[dict[str, str], bytes]:
    """Argilla does not promise a message for every answer: it queues them in memory and gives up.
    So the annotator changes their mind until one has come."""
    for attempt in range(16):
        hands.answer(dataset_id, "item-1", ("refund", "praise")[attempt % 2])
        seen.extend(tool.look(dataset_id).responses)
        with suppress(Empty):
            return _message_of(receiver.received, dataset_id)  # type: ignore[attr-defined]
    pytest.fail("sixteen answers, and Argilla has told of none")


def _message_of(received: "Queue[Any]", dataset_id: UUID) -> tuple[dict[str, str], bytes]:
    """Other tests use the same Argilla and may answer things too."""
    while True:
        headers, body = received.get(timeout=15)
        if json.loads(body)["data"]["record"]["dataset"]["id"] == str(dataset_id):
            return headers, body


def test_a_disabled_webhook_is_enabled_again_and_a_double_removed(
    tool: ArgillaTool, hands: ArgillaHands
) -> None:
    url = f"http://127.0.0.1:9/{uuid4().hex}"
    secret = tool.ensure_webhook(url)
    (first,) = _webhooks(hands, url)
    hands.call(
        "POST", "webhooks", json={key: first[key] for key in ("url", "events", "description")}
    )
    hands.call("PATCH", f"webhooks/{first['id']}", json={"enabled": False})
    assert tool.ensure_webhook(url) == secret
    (left,) = _webhooks(hands, url)
    assert (left["id"], left["enabled"]) == (first["id"], True)
    hands.call("DELETE", f"webhooks/{left['id']}")


def _webhooks(hands: ArgillaHands, url: str) -> list[Any]:
    return [one for one in hands.call("GET", "webhooks")["items"] if one["url"] == url]
