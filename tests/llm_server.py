"""A server that speaks the protocols of OpenAI, Anthropic and everyrow, and misbehaves on demand.

It reads the prompt as a model would: the text between the marks. It knows the truth of the texts it
was given, and notes everything that it was asked.
"""

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-for-tests-only"
FENCED = re.compile(r"<(text-[0-9a-f]{12})>\n(.*)\n</\1>", re.DOTALL)
TOKENS = (100, 20)
FAULTS = (
    "429", "500", "slow", "cut", "not_json", "fence", "malformed", "refusal", "unknown_label",
    "other_spelling", "missing_rows", "strange_ids",
)  # fmt: skip


class LlmServer:
    """Faults wait in a queue; each spoils one answer. `always` spoils every one."""

    def __init__(self, truth: Mapping[str, str] | None = None) -> None:
        self.truth = dict(truth or {})
        self.faults: deque[str] = deque()
        self.always: str | None = None
        self.seconds = 0.0
        self.asked: list[str] = []
        """The texts (or lists of texts) of every question, in the order they came."""
        self.paths: Counter[str] = Counter()
        self.bodies: list[Mapping[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self.tasks: dict[str, Any] = {}
        self.lock = threading.Lock()

    def fault(self) -> str | None:
        with self.lock:
            return self.faults.popleft() if self.faults else self.always

    def answer(self, content: str, fault: str | None) -> str:
        """What the model says to this content."""
        mark = FENCED.search(content)
        inside = mark[2] if mark else ""
        with self.lock:
            self.asked.append(inside)
        found = self._picks(inside, content, fault) if '{"id":' in inside else self._label(inside)
        if fault == "unknown_label":
            found["label"] = "no such label"
        if fault == "other_spelling" and "label" in found:
            found["label"] = f" {found['label'].upper()}_ "
        said = json.dumps(found)
        if fault == "fence":
            return f"```json\n{said}\n```"
        return said[: len(said) // 2] if fault == "malformed" else said

    def _label(self, text: str) -> dict[str, Any]:
        label = self.truth.get(text, "a")
        return {"label": label, "confidence": 0.9, "rationale": "It says so."}

    def _picks(self, inside: str, content: str, fault: str | None) -> dict[str, Any]:
        ids = [json.loads(line)["id"] for line in inside.splitlines()]
        asked = re.search(r"Choose (\d+) of these", content)
        size = int(asked[1]) if asked else 1
        if fault == "strange_ids":
            ids = [ids[0], ids[0], "t9999", *ids[1 : size // 2]]
        return {"reasoning": "Step by step.", "ids": ids[:size]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    brain: LlmServer

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._serve(json.loads(self.rfile.read(length) or b"{}"))

    def _serve(self, body: Mapping[str, Any]) -> None:
        brain = self.brain
        with brain.lock:
            brain.at_once += 1
            brain.most_at_once = max(brain.most_at_once, brain.at_once)
            brain.paths[re.sub(r"/tasks/\w+", "/tasks/ID", self.path)] += 1
            brain.bodies.append(body)
        try:
            self._answer(body)
        finally:
            with brain.lock:
                brain.at_once -= 1

    def _answer(self, body: Mapping[str, Any]) -> None:
        if not self._key_is_right():
            return self._send(401, {"error": {"message": f"Bad key {self._key()}"}})
        if self.path.startswith(("/sessions", "/tasks")):
            return self._everyrow_rest()
        fault = self.brain.fault()
        time.sleep(self.brain.seconds)
        if fault == "429":
            return self._send(429, {"error": {"message": "Slow down"}}, {"Retry-After": "0"})
        if fault == "500":
            return self._send(500, {"error": {"message": "Broken"}})
        if fault == "slow":
            time.sleep(1.5)
        forms = {
            "/v1/chat/completions": self._openai,
            "/v1/messages": self._anthropic,
            "/operations/agent_map": self._everyrow,
        }
        answer = forms[self.path](body, fault)
        return self._cut(answer, fault) if fault in ("cut", "not_json") else self._send(200, answer)

    def _key(self) -> str:
        given = self.headers.get("x-api-key") or self.headers.get("Authorization", "")
        return given.removeprefix("Bearer ")

    def _key_is_right(self) -> bool:
        return self._key() == KEY

    def _openai(self, body: Mapping[str, Any], fault: str | None) -> Mapping[str, Any]:
        said = self.brain.answer(body["messages"][1]["content"], fault)
        message = {"role": "assistant", "content": said}
        if fault == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot."}
        usage = {"prompt_tokens": TOKENS[0], "completion_tokens": TOKENS[1]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {"id": "c", "model": body["model"], "choices": [choice], "usage": usage}

    def _anthropic(self, body: Mapping[str, Any], fault: str | None) -> Mapping[str, Any]:
        assert self.headers["anthropic-version"] == "2023-06-01"
        said = self.brain.answer(body["messages"][0]["content"], fault)
        try:
            content = [{"type": "tool_use", "name": "answer", "input": json.loads(said)}]
        except ValueError:
            content = [{"type": "text", "text": said}]
        stop = "refusal" if fault == "refusal" else "tool_use"
        usage = {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1]}
        content = [] if fault == "refusal" else content
        return {"id": "m", "content": content, "stop_reason": stop, "usage": usage}

    def _everyrow(self, body: Mapping[str, Any], fault: str | None) -> Mapping[str, Any]:
        assert body["response_schema"]["type"] == "object"
        rows = []
        for row in body["input"]:
            said = self.brain.answer(row["content"], fault)
            try:
                rows.append({**row, **json.loads(said)})
            except ValueError:
                rows.append({**row, "note": said})
        if fault in ("missing_rows", "refusal"):
            rows = rows[len(rows) // 2 + 1 :] if fault == "missing_rows" else []
        task = f"t{len(self.brain.tasks)}"
        self.brain.tasks[task] = {"looks": 0, "rows": rows[::-1]}
        return {"task_id": task, "session_id": body["session_id"], "status": "pending"}

    def _everyrow_rest(self) -> None:
        if self.path == "/sessions":
            return self._send(200, {"session_id": "s1"})
        _, _, task, what = self.path.split("/")
        kept = self.brain.tasks[task]
        if what == "result":
            return self._send(200, {"data": kept["rows"]})
        kept["looks"] += 1
        return self._send(200, {"status": "running" if kept["looks"] < 2 else "completed"})

    def _cut(self, answer: Mapping[str, Any], fault: str) -> None:
        """Half of the body, with the length of the whole or with its own."""
        whole = json.dumps(answer).encode()
        half = whole[: len(whole) // 2]
        self.send_response(200)
        self.send_header("Content-Length", str(len(whole if fault == "cut" else half)))
        self.end_headers()
        self.wfile.write(half)
        self.close_connection = True

    def _send(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        content = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked is gone


@contextmanager
def llm_server(truth: Mapping[str, str] | None = None) -> Iterator[tuple[LlmServer, str]]:
    """The server and its address."""
    brain = LlmServer(truth)
    handler = type("Bound", (Handler,), {"brain": brain})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield brain, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(kind: str, url: str, **more: Any) -> dict[str, Any]:
    """One provider's part of ROUNDS_LLM_PROVIDERS for this server."""
    base = f"{url}/v1" if kind == "openai-compatible" else url
    price = {"price_row": 0.002} if kind == "everyrow" else {"price_in": 1.0, "price_out": 4.0}
    return {
        "kind": kind,
        "base_url": base,
        "model": "low" if kind == "everyrow" else "test-model",
        "key_env": "LLM_TEST_KEY",
        "timeout_seconds": 20,
        **price,
        **more,
    }
