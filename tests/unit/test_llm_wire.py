"""How long a busy service is left alone, and what is never said."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from app.adapters.llm.wire import LONGEST_PAUSE, Busy, Wire, _asked_to_wait, _pause_before_another
from app.core.errors import Refused
from app.ports.llm import AnswerLost
from tests.llm_server import KEY, llm_server


def busy(**headers: str) -> httpx.Response:
    return httpx.Response(429, headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_retry_after_is_seconds_or_a_date() -> None:
    assert _asked_to_wait(busy(retry_after="7")) == 7.0
    assert _asked_to_wait(busy(retry_after="0.5")) == 0.5
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    waits = _asked_to_wait(busy(retry_after=soon))
    assert waits is not None
    assert 25 < waits <= 30
    assert _asked_to_wait(busy(retry_after="Sun, 06 Nov 1994 08:49:37 GMT")) == 0.0
    assert _asked_to_wait(busy(retry_after="soon")) is None
    assert _asked_to_wait(busy()) is None


def test_the_pause_is_at_least_what_was_asked_for_and_a_little_scattered() -> None:
    pauses = {_pause_before_another(Busy("busy", 2.0)) for _ in range(20)}
    assert all(2.0 <= pause <= 2.4 for pause in pauses)
    assert len(pauses) > 1
    assert _pause_before_another(Busy("busy", None)) is True
    assert 0 < _pause_before_another(Busy("busy", 0.0)) < 1


def test_what_would_take_too_long_or_may_be_charged_twice_is_not_repeated() -> None:
    assert _pause_before_another(Busy("busy", LONGEST_PAUSE + 1)) is False
    assert _pause_before_another(AnswerLost("cut")) is False
    assert _pause_before_another(Refused("no")) is False


def test_a_reason_is_given_when_it_is_short_and_never_with_the_key() -> None:
    wire = Wire("it", "http://127.0.0.1:1", {}, key="sk-secret", timeout=1)
    short = httpx.Response(400, json={"error": {"message": "no such model for sk-secret"}})
    with pytest.raises(Refused, match="no such model for …"):
        wire._read(short)
    long = httpx.Response(400, json={"detail": "the text was " + "private " * 100})
    with pytest.raises(Refused) as refused:
        wire._read(long)
    assert "private" not in refused.value.message


def test_nobody_there_is_said_without_the_key() -> None:
    wire = Wire(
        "it",
        "http://127.0.0.1:1",
        {"x-api-key": "sk-secret"},
        key="sk-secret",
        timeout=1,
        attempts=1,
    )
    with pytest.raises(Busy, match="it cannot be reached") as away:
        wire.post("v1/messages", {"secret": "text"})
    assert "sk-secret" not in str(away.value)
    assert away.value.__cause__ is None


def test_a_redirect_is_not_followed() -> None:
    with llm_server() as (server, url):
        wire = Wire("it", url, {"x-api-key": KEY}, key=KEY, timeout=5)
        moved = httpx.Response(302, headers={"location": f"{url}/elsewhere"})
        with pytest.raises(Refused, match="302"):
            wire._read(moved)
        assert not server.paths
