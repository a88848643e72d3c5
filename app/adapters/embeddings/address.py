"""Embeddings from an address that speaks OpenAI's protocol (`POST BASE/embeddings`)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import stamina
from numpy.typing import NDArray

from app.adapters.embeddings.naming import short_name
from app.core.errors import Refused, Unavailable, WrongInput

CONNECT_SECONDS = 10.0
LONGEST_PAUSE = 60.0
"""Whoever wants a longer pause is asked again by the next attempt of the step."""
PASSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


class Pause(Unavailable):
    """The address is busy or broken; `seconds` is how long it asks us to wait, if it does."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class AddressModel:
    """The address, model and key are the server's own; nothing of them comes from a request.

    Neither the key nor a text stands in an error: what the address says of a mistake may quote
    either, so only its code is repeated.
    """

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        attempts: int = 6,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise WrongInput(
                "must be an address such as https://api.openai.com/v1, without a password in it.",
                field="ROUNDS_EMBEDDINGS_URL",
            )
        self._url = url.rstrip("/") + "/embeddings"
        self._host = parts.hostname
        self._model = model
        self._attempts = attempts
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            transport=transport,
        )

    @property
    def name(self) -> str:
        return short_name(self._model, self.identity)

    @property
    def sends_to(self) -> str | None:
        return self._host

    @property
    def identity(self) -> str:
        return f"{self._url} {self._model}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.floating]:
        for attempt in stamina.retry_context(
            on=_pause_after,
            attempts=self._attempts,
            timeout=None,
            wait_max=LONGEST_PAUSE / 4,
            wait_jitter=0.2,
        ):
            with attempt:
                return self._rows(self._ask(texts), len(texts))
        raise AssertionError("unreachable")  # retry_context returns or raises

    def _ask(self, texts: Sequence[str]) -> Any:
        body = {"model": self._model, "input": list(texts)}
        try:
            answer = self._client.post(self._url, json=body)
        except httpx.TransportError as problem:
            # `from None`: the request inside the original error carries the key and the texts
            raise Pause(
                f"{self._host} gave no embeddings ({type(problem).__name__}). "
                "ROUNDS_EMBEDDINGS_URL names the address."
            ) from None
        if answer.status_code != 200:
            raise self._error(answer)
        try:
            return answer.json()
        except ValueError:
            raise self._nonsense("its answer is no JSON") from None

    def _error(self, answer: httpx.Response) -> Exception:
        status, code = answer.status_code, _code(answer)
        said = f"{self._host} answered {status}{f' ({code})' if code else ''}"
        if status in PASSES and code != "insufficient_quota":
            return Pause(f"{said}.", _wanted_pause(answer.headers.get("retry-after")))
        if status in (401, 403):
            return Refused(f"{said}: ROUNDS_EMBEDDINGS_API_KEY is not accepted there.")
        return Refused(
            f"{said} when asked for embeddings. Look at ROUNDS_EMBEDDINGS_URL and "
            f"ROUNDS_EMBEDDINGS_MODEL ({self._model})."
        )

    def _rows(self, answer: Any, count: int) -> NDArray[np.floating]:
        """In the order of the texts, which `index` tells; an answer need not come in order."""
        found = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(found, list) or len(found) != count:
            raise self._nonsense(f"{count} embeddings were asked for, not that many came")
        try:
            by_index = {one["index"]: one["embedding"] for one in found}
            rows = np.array([by_index[index] for index in range(count)], dtype=np.float32)
        except (KeyError, TypeError, ValueError):
            raise self._nonsense("what came back are no embeddings") from None
        if rows.ndim != 2 or not np.isfinite(rows).all() or not rows.any(axis=1).all():
            raise self._nonsense("an embedding is no direction (empty, zero, NaN or infinite)")
        return rows

    def _nonsense(self, why: str) -> Pause:
        return Pause(f"{self._host} does not answer as an embeddings address should: {why}.")


def _pause_after(problem: Exception) -> bool | float:
    """Whether to ask again; how long to wait, if we were told."""
    if not isinstance(problem, Pause):
        return False
    if problem.seconds is None:
        return True
    return problem.seconds if problem.seconds <= LONGEST_PAUSE else False


def _wanted_pause(retry_after: str | None) -> float | None:
    """Seconds, or a date: both are allowed."""
    if not retry_after:
        return None
    try:
        return max(float(retry_after), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    now = datetime.now(UTC) if until.tzinfo else datetime.now(UTC).replace(tzinfo=None)
    return max((until - now).total_seconds(), 0.0)


def _code(answer: httpx.Response) -> str | None:
    """The code of an error, if it looks like one and not like a sentence."""
    try:
        error = answer.json()["error"]
        code = error.get("code") or error.get("type")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return code if isinstance(code, str) and CODE.fullmatch(code) else None
