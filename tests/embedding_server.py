"""A small service that speaks OpenAI's embeddings protocol, and misbehaves on demand."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

DIMENSIONS = 8
KEY = "sk-secret-of-tests"
Fault = Callable[["Handler", Any], None]


def vector_of(text: str) -> list[float]:
    """A direction that depends on the text alone; alike for texts that begin with the same word."""

    def direction(part: str) -> Any:
        seed = int.from_bytes(sha256(part.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=DIMENSIONS)

    found: list[float] = (3 * direction(text.split(maxsplit=1)[0]) + direction(text)).tolist()
    return found


class Handler(BaseHTTPRequestHandler):
    server: "EmbeddingServer"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body["input"])
        if self.path != "/v1/embeddings" or self.headers["Authorization"] != f"Bearer {KEY}":
            return self.give(401, {"error": {"code": "invalid_api_key", "message": f"no {KEY}"}})
        if self.server.faults:
            return self.server.faults.pop(0)(self, body)
        return self.give(200, answer(body["input"]))

    def give(self, status: int, content: Any, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None: ...


class EmbeddingServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Sequence[str]] = []
        self.faults: list[Fault] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def texts(self) -> list[str]:
        return [text for one in self.asked for text in one]


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def answer(texts: Sequence[str]) -> dict[str, Any]:
    rows = [{"index": n, "embedding": vector_of(text)} for n, text in enumerate(texts)]
    return {"object": "list", "data": rows[::-1]}  # the order of an answer is not promised


def status(code: int, error: Any = None, **headers: str) -> Fault:
    """An error that repeats what it was told, as services do."""
    return lambda handler, body: handler.give(
        code, {"error": error or {"message": f"{KEY} sent {body['input']}"}}, **headers
    )


def change(edit: Callable[[list[dict[str, Any]]], Any]) -> Fault:
    """A good answer, spoiled."""

    def spoil(handler: Handler, body: Any) -> None:
        whole = answer(body["input"])
        edit(whole["data"])
        handler.give(200, json.dumps(whole).encode())

    return spoil


def hang_up(handler: Handler, body: Any) -> None:
    handler.close_connection = True


def no_json(handler: Handler, body: Any) -> None:
    handler.give(200, b"<html>welcome</html>")


def slow(seconds: float) -> Fault:
    def wait(handler: Handler, body: Any) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return wait


def one_short(rows: list[dict[str, Any]]) -> None:
    rows.pop()


def not_a_number(rows: list[dict[str, Any]]) -> None:
    rows[0]["embedding"][3] = float("nan")


def all_zero(rows: list[dict[str, Any]]) -> None:
    rows[0]["embedding"] = [0.0] * DIMENSIONS


def shorter_row(rows: list[dict[str, Any]]) -> None:
    rows[0]["embedding"].pop()


def same_index(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["index"] = 0
