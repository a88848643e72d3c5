"""Items sent over HTTP: streamed, bounded, checked row by row."""

import gzip
import io
import json

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.factories import all_rows, items, make_project
from tests.serving import api, wait_until

pytestmark = pytest.mark.postgres
ITEMS = "/api/v1/projects/shop/items"
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def store(store):
    make_project(store)
    return store


@pytest.fixture
def client(store):
    with api(store, "operator", upload_idle_seconds=1.0, max_upload_bytes=50 * 2**20) as client:
        yield client


def lines(rows):
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def stored(store):
    return all_rows(store, "SELECT count(*) AS n FROM items")[0]["n"]


def parquet(rows):
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), table)
    return table.getvalue()


CSV = b"id,text\n" + b"".join(f"i{n},text number {n}\n".encode() for n in range(5))


@pytest.mark.parametrize(
    ("body", "headers", "query"),
    [
        (lines(items(5)), NDJSON, ""),
        (gzip.compress(lines(items(5))), {**NDJSON, "Content-Encoding": "gzip"}, ""),
        (gzip.compress(lines(items(5))), {"Content-Type": "application/gzip"}, "?format=jsonl"),
        (CSV, {"Content-Type": "text/csv; charset=utf-8"}, ""),
        (CSV, {}, "?format=csv"),
        (parquet(items(5)), {"Content-Type": "application/vnd.apache.parquet"}, ""),
    ],
    ids=["ndjson", "encoded", "gzip", "csv", "named", "parquet"],
)
def test_every_format_arrives(client, store, body, headers, query):
    answer = client.post(ITEMS + query, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == 5
    again = client.post(ITEMS + query, content=body, headers=headers)
    assert (again.json()["created"], again.json()["unchanged"]) == (0, 5)
    assert stored(store) == 5


def test_bad_rows_are_told_by_line_and_field_and_the_rest_is_kept(client, store):
    rows = [
        *items(3),
        {"id": "x", "text": ""},
        {"id": "y"},
        {"id": "z", "text": "odd label", "label": "nonsense"},
    ]
    answer = client.post(ITEMS, content=lines(rows) + b"{not json\n\xff\n", headers=NDJSON)
    told = answer.json()
    assert answer.status_code == 200
    assert (told["received"], told["created"], told["rejected"]) == (8, 3, 5)
    assert [(one["line"], one["field"]) for one in told["rejections"]] == [
        (4, "text"), (5, "text"), (6, "label"), (7, None), (8, None),
    ]  # fmt: skip
    assert all(one["reason"] for one in told["rejections"])
    listed = client.get("/api/v1/projects/shop/imports").json()["items"]
    assert listed[0]["report"]["rejected"] == 5


def test_strict_takes_all_or_nothing(client, store):
    body = lines([*items(3), {"id": "x", "text": ""}])
    answer = client.post(ITEMS + "?strict=true", content=body, headers=NDJSON)
    assert answer.status_code == 422
    assert answer.json()["rejections"][0]["line"] == 4
    assert stored(store) == 0


def test_an_empty_body_a_wrong_type_and_a_wrong_encoding_are_refused(client, store):
    assert client.post(ITEMS, content=b"", headers=NDJSON).status_code == 422
    odd = client.post(ITEMS, content=b"x", headers={"Content-Type": "image/png"})
    assert (odd.status_code, odd.json()["code"]) == (415, "media-type")
    packed = client.post(ITEMS, content=b"x", headers={**NDJSON, "Content-Encoding": "br"})
    assert packed.status_code == 415
    cut = client.post(ITEMS, content=gzip.compress(lines(items(5)))[:-10], headers=NDJSON)
    assert cut.status_code == 422
    assert stored(store) == 0


def test_what_is_too_large_is_refused_and_leaves_nothing(store):
    with api(store, "operator", max_upload_bytes=100_000) as client:
        said = client.post(ITEMS, content=lines(items(5000)), headers=NDJSON)
        assert (said.status_code, said.json()["code"]) == (413, "too-large")

        def unsaid():
            for start in range(0, 5000, 500):
                yield lines(items(5000)[start : start + 500])

        assert client.post(ITEMS, content=unsaid(), headers=NDJSON).status_code == 413
    assert stored(store) == 0


def test_a_sender_who_stalls_is_given_up(client, store):
    request = (
        f"POST {ITEMS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    )
    with connected(client) as socket:
        socket.sendall(request.encode() + chunk(lines(items(3))))
        answer = socket.recv(65536)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert stored(store) == 0


def test_a_sender_who_leaves_leaves_nothing_behind(client, store):
    request = (
        f"POST {ITEMS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    )
    with connected(client) as socket:
        socket.sendall(request.encode() + chunk(lines(items(2000))))
        wait_until(lambda: importing(store))
    wait_until(lambda: not importing(store))
    assert stored(store) == 0
    assert client.post(ITEMS, content=lines(items(3)), headers=NDJSON).json()["created"] == 3


def test_a_large_import_streams(client, store):
    """Far more than any buffer, from a generator of unknown length."""

    def body():
        for start in range(0, 100_000, 1000):
            yield lines(
                {"text": f"text number {n} " + "x" * 200} for n in range(start, start + 1000)
            )

    answer = client.post(ITEMS, content=body(), headers=NDJSON, timeout=httpx.Timeout(120))
    assert answer.json()["created"] == 100_000


def connected(client):
    import socket

    return socket.create_connection((client.base_url.host, client.base_url.port), timeout=30)


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def importing(store):
    return bool(
        all_rows(store, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = "
                        "(SELECT oid FROM pg_database WHERE datname = current_database())")
    )  # fmt: skip
