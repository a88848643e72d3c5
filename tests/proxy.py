"""A small HTTP proxy that stands between a worker and Argilla, so that a test can act exactly when
a certain request passes: before Argilla has seen it, or after, when the answer is not home yet."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

Hook = Callable[[str, str, str], bool]
"""(moment, method, path) with moment `before` or `after`; True drops the connection there."""


class Proxy:
    """Forwards to `target`; `hook` may be set and changed at any time."""

    def __init__(self, target: str) -> None:
        self.hook: Hook = lambda *_: False
        self.seen: list[tuple[str, str]] = []
        self._client = httpx.Client(base_url=target, timeout=120, trust_env=False)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.seen.append((self.command, self.path))
                if proxy.hook("before", self.command, self.path):
                    self.close_connection = True
                    return
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                answer = proxy._client.request(
                    self.command, self.path, content=body, headers=headers
                )
                if proxy.hook("after", self.command, self.path):
                    self.close_connection = True
                    return
                self.give_back(answer)

            def give_back(self, answer: httpx.Response) -> None:
                try:
                    self.send_response(answer.status_code)
                    for name, value in answer.headers.items():
                        if name.lower() not in HOP_BY_HOP:
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.content)))
                    self.end_headers()
                    self.wfile.write(answer.content)
                except OSError:
                    self.close_connection = True  # whoever asked is gone

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = forward  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "content-encoding",
              "accept-encoding", "keep-alive"}  # fmt: skip
