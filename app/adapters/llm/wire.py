"""One LLM service over HTTP: waits as it asks, repeats where nothing was charged, says what is
wrong. Neither the key nor a text reaches an error or a log."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import stamina

from app.core.errors import Refused, Unavailable
from app.ports.llm import AnswerLost

WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
ATTEMPTS = 5
LONGEST_PAUSE = 60.0
CONNECT_SECONDS = 10.0
LONGEST_REASON = 200


class Busy(Unavailable):
    """It answered that it cannot now, and after how long to ask again, if it said so."""

    def __init__(self, message: str, after: float | None) -> None:
        super().__init__(message)
        self.after = after


class Wire:
    """Requests to one service with one key."""

    def __init__(
        self,
        service: str,
        base_url: str,
        headers: Mapping[str, str],
        *,
        key: str | None,
        timeout: float,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.service = service
        self.attempts = attempts
        self.timeout = timeout
        self._key = key
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Accept": "application/json", **headers},
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        )

    @property
    def longest(self) -> float:
        """How long one call can take, repeats and pauses included."""
        return self.attempts * (self.timeout + LONGEST_PAUSE)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("POST", path, body)

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        for attempt in stamina.retry_context(
            on=_pause_before_another, attempts=self.attempts, timeout=None, wait_max=LONGEST_PAUSE
        ):
            with attempt:
                return self._once(method, path, body)
        raise AssertionError("unreachable")  # retry_context returns or raises

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} if content is not None else None
        try:
            answer = self._client.request(method, path, content=content, headers=headers)
        # `from None`: the request inside the original error carries key and texts
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise Busy(f"{self.service} cannot be reached ({_kind(problem)}).", None) from None
        except (httpx.TransportError, httpx.DecodingError) as problem:
            raise AnswerLost(
                f"{self.service} did not finish its answer ({_kind(problem)})."
            ) from None
        except httpx.InvalidURL:
            raise Refused(f"The address of {self.service} is no address.") from None
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Any:
        status = answer.status_code
        if status in WORTH_ANOTHER_TRY:
            raise Busy(f"{self.service} answered {status}.", _asked_to_wait(answer))
        if status in (401, 403):
            raise Refused(
                f"{self.service} does not accept our key ({status}). Set the environment variable "
                "that ROUNDS_LLM_PROVIDERS names for it."
            )
        if status >= 300:
            raise Refused(f"{self.service} refused ({status}): {self._reason(answer)}")
        try:
            return answer.json()
        except ValueError:
            raise AnswerLost(f"What {self.service} answered was cut off, or is not JSON.") from None

    def _reason(self, answer: httpx.Response) -> str:
        """Its own words, when they are short; long ones may repeat what was sent."""
        try:
            body = answer.json()
        except ValueError:
            return "no reason given"
        words = _words_in(body)
        if words is None or len(words) > LONGEST_REASON:
            return "no short reason given"
        return words.replace(self._key, "…") if self._key else words


def _kind(problem: Exception) -> str:
    return type(problem).__name__


def _words_in(body: Any) -> str | None:
    """`{"error": {"message": …}}`, `{"error": …}`, `{"detail": …}`, `{"message": …}`."""
    if isinstance(body, Mapping):
        for name in ("error", "detail", "message"):
            if name in body:
                return _words_in(body[name])
    return body if isinstance(body, str) else None


def _pause_before_another(problem: Exception) -> bool | float:
    if not isinstance(problem, Busy):
        return False
    if problem.after is None:
        return True  # stamina's own growing pauses with jitter
    if problem.after > LONGEST_PAUSE:
        return False
    return max(0.01, problem.after) * random.uniform(1.0, 1.2)  # noqa: S311 - so that callers do not march


def _asked_to_wait(answer: httpx.Response) -> float | None:
    """Retry-After in seconds, or as a date."""
    given = answer.headers.get("retry-after")
    if given is None:
        return None
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
