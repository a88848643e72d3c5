"""One Argilla server over HTTP: asks again where that helps, and says plainly what is wrong."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import stamina

from app.core.errors import NotFound, Refused, Unavailable

LONGEST_DETAIL = 500
WORTH_ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})
CONNECT_SECONDS = 10.0


class Rejected(Refused):
    """Argilla understood the request and does not take it. `http_status` and `detail` say why."""

    def __init__(self, message: str, *, http_status: int, detail: Any) -> None:
        super().__init__(message, http_status=http_status)
        self.http_status = http_status
        self.detail = detail


class Troubled(Unavailable):
    """Argilla answered that something broke on its side (5xx)."""

    def __init__(self, message: str, *, http_status: int) -> None:
        super().__init__(message, http_status=http_status)
        self.http_status = http_status


class Connection:
    """Requests to one server with one key. Every request may be repeated; callers see to that."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        timeout: float = 120.0,
        attempts: int = 6,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = without_password(url)
        self.attempts = attempts
        self._api_key = api_key
        self._patience = 2 * timeout
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1/",
            headers={"X-Argilla-Api-Key": api_key, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            transport=transport,
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, *, params: Any = None, attempts: int | None = None) -> Any:
        return self.call("GET", path, params=params, attempts=attempts)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        body: Any = None,
        attempts: int | None = None,
    ) -> Any:
        """The JSON that came back, None for an empty answer.

        Raises Unavailable (after some tries), NotFound, or Rejected.
        """
        for attempt in stamina.retry_context(
            on=_passes_with_time,
            attempts=attempts or self.attempts,
            timeout=self._patience,
            wait_jitter=0.2,
        ):
            with attempt:
                return self._once(method, path, params, body)
        raise AssertionError("unreachable")  # retry_context returns or raises

    def _once(self, method: str, path: str, params: Any, body: Any) -> Any:
        content = None if body is None else json.dumps(body, allow_nan=False)
        try:
            answer = self._client.request(
                method,
                path,
                params=params,
                content=content,
                headers={"Content-Type": "application/json"} if content is not None else None,
            )
        except httpx.InvalidURL as problem:
            raise Refused(f"{self.address} is no usable address for Argilla: {problem}.") from None
        except httpx.TransportError as problem:
            # `from None`: the request inside the original error carries the key
            raise Unavailable(self._silence(problem)) from None
        return self._read(answer)

    def _silence(self, problem: httpx.TransportError) -> str:
        what = type(problem).__name__
        if isinstance(problem, httpx.ConnectError):
            return (
                f"Nothing answers at {self.address} ({what}). Is Argilla running there? "
                "ROUNDS_ARGILLA_URL names the address."
            )
        return f"Argilla at {self.address} did not finish its answer ({what})."

    def _read(self, answer: httpx.Response) -> Any:
        if answer.status_code >= 400:
            raise self._error(answer)
        if answer.is_redirect:
            raise Refused(
                f"{self.address} sends us on to {answer.headers.get('location', 'elsewhere')}. "
                "Set ROUNDS_ARGILLA_URL to the final address."
            )
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise Refused(
                f"What answers at {self.address} is not Argilla's API. "
                "Set ROUNDS_ARGILLA_URL to the address of the Argilla server."
            ) from None

    def _error(self, answer: httpx.Response) -> Exception:
        status = answer.status_code
        if status in WORTH_ANOTHER_TRY:
            # the body of a 500 may quote SQL with people's texts: it is not repeated
            return Troubled(f"Argilla at {self.address} answered {status}.", http_status=status)
        detail = _detail(answer)
        words = self._words(detail)
        if status == 404:
            return NotFound(f"Argilla at {self.address} has no such thing: {words}")
        if status == 401:
            message = (
                f"Argilla at {self.address} does not know our key. "
                "Set ROUNDS_ARGILLA_API_KEY to the key of an owner or admin."
            )
        elif status == 403:
            message = (
                f"Argilla at {self.address} does not allow our key this. It must belong to an "
                "owner, or to an admin who is a member of the workspace."
            )
        else:
            message = f"Argilla at {self.address} refused ({status}): {words}"
        return Rejected(message, http_status=status, detail=detail)

    def _words(self, detail: Any) -> str:
        text = detail if isinstance(detail, str) else json.dumps(detail)
        return text.replace(self._api_key, "…")[:LONGEST_DETAIL]


def _passes_with_time(problem: Exception) -> bool:
    return isinstance(problem, Unavailable) and not isinstance(problem, Refused)


def _detail(answer: httpx.Response) -> Any:
    """What Argilla says is wrong: text, or for malformed requests a list of errors with places."""
    try:
        body = answer.json()
    except ValueError:
        return "no reason given"
    if not isinstance(body, Mapping):
        return "no reason given"
    detail = body.get("detail", body.get("message", "no reason given"))
    if isinstance(detail, Mapping):
        params = detail.get("params")
        if isinstance(params, Mapping):
            return params.get("errors") or params.get("detail") or params.get("message") or detail
    return detail


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="")).rstrip("/")
