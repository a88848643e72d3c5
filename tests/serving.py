"""The web application over a test's database: in process, or listening like the real one."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from app.adapters.readers import FileRows
from app.api.wiring import ApiParts
from app.core.entities import ApiKey
from app.main import create_app
from app.ports.store import Store
from app.rounds import api_keys

PATIENCE = 30.0


def make_parts(store: Store, **changes: Any) -> ApiParts:
    """Parts with an Argilla that answers, and no webhook."""
    given = {
        "store": store,
        "rows": FileRows(),
        "ping_tool": lambda: None,
        "cookie_secret": secrets.token_hex(16),
        "webhook_secret": lambda: None,
        **changes,
    }
    return ApiParts(**given)


def make_key(store: Store, role: str, name: str | None = None) -> tuple[ApiKey, str]:
    return api_keys.create_key(store, name or role, role, actor="test")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application on a free port of this machine; its address."""
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="api")
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def api(store: Store, role: str = "admin", **changes: Any) -> Iterator[httpx.Client]:
    """A client with a key of this role, of an application that listens."""
    _, key = make_key(store, role)
    with (
        serving(create_app(make_parts(store, **changes))) as url,
        httpx.Client(base_url=url, headers=bearer(key), timeout=PATIENCE) as client,
    ):
        yield client


def wait_until(condition: Any, seconds: float = PATIENCE) -> None:
    """Until it holds; an error if it does not within the time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the condition never held")
        time.sleep(0.01)
