"""Providers from the server's settings. Addresses come from nowhere else, keys from the
environment."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.adapters.llm.chat import ANTHROPIC_VERSION, Anthropic, OpenAiCompatible
from app.adapters.llm.everyrow import Everyrow
from app.adapters.llm.simulated import CONFIDENCES, Simulated
from app.adapters.llm.wire import Wire
from app.adapters.readers import FileRows
from app.core.errors import WrongInput
from app.core.importing import Rejection
from app.core.llm.money import Price
from app.ports.llm import Provider

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
EVERYROW = "https://everyrow.io/api/v0"
COMMON = ("kind", "model", "price_in", "price_out", "price_row", "concurrency")
HTTP = (*COMMON, "base_url", "key_env", "timeout_seconds")
SIMULATED = ("truth", "error", "skill", "confidence", "spelling", "latency", "seed")
KNOWN: Mapping[str, tuple[str, ...]] = {
    "openai-compatible": (*HTTP, "structured"),
    "anthropic": HTTP,
    "everyrow": (*HTTP, "rows"),
    "simulated": (*COMMON, *SIMULATED),
}
KEYS = {
    "openai-compatible": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "everyrow": "EVERYROW_API_KEY",
}


class ConfiguredProviders:
    """Those of ROUNDS_LLM_PROVIDERS; each is made when it is first asked for."""

    def __init__(
        self, given: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str] | None = None
    ) -> None:
        self._given = given
        self._environment = os.environ if environment is None else environment
        self._made: dict[str, Provider] = {}
        for name, options in given.items():
            _Options(name, options).check()

    def names(self) -> Sequence[str]:
        return sorted(self._given)

    def get(self, name: str) -> Provider:
        if name not in self._given:
            known = ", ".join(self.names()) or "none; ROUNDS_LLM_PROVIDERS names them"
            raise WrongInput(
                f"There is no LLM provider {name[:60]!r}. Known: {known}.", field="provider"
            )
        if name not in self._made:
            options = _Options(name, self._given[name])
            self._made[name] = MAKERS[options.kind](options, self._environment)
        return self._made[name]


class _Options:
    """One provider's part of the setting, checked as it is read."""

    def __init__(self, name: str, given: Mapping[str, Any]) -> None:
        self.name = name
        self.given = given

    @property
    def kind(self) -> str:
        return str(self.given.get("kind"))

    def check(self) -> None:
        if not NAME.fullmatch(self.name):
            raise self.wrong("kind", "belongs to a name that must be a-z, 0-9, '-' and '_'")
        if self.kind not in KNOWN:
            raise self.wrong("kind", f"must be one of: {', '.join(KNOWN)}")
        if unknown := sorted(set(self.given) - set(KNOWN[self.kind])):
            raise self.wrong(unknown[0], f"is unknown; known: {', '.join(KNOWN[self.kind])}")
        self.price()
        self.whole("concurrency", 4, 1, 64)
        if self.kind != "simulated":
            self.base_url(EVERYROW)
            self.text("model", "low" if self.kind == "everyrow" else None)

    def wrong(self, option: str, what: str) -> WrongInput:
        return WrongInput(
            f"{option} of the LLM provider {self.name!r} {what}.",
            field=f"ROUNDS_LLM_PROVIDERS.{self.name}.{option}",
        )

    def text(self, option: str, default: str | None = None) -> str:
        value = self.given.get(option, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(option, "must be given, as text")
        return value

    def number(self, option: str, default: float | None, low: float, high: float) -> float:
        value = self.given.get(option, default)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None or not good or not low <= value <= high:
            raise self.wrong(option, f"must be a number from {low:g} to {high:g}")
        return float(value)

    def whole(self, option: str, default: int, low: int, high: int) -> int:
        value = self.number(option, default, low, high)
        if value != int(value):
            raise self.wrong(option, "must be a whole number")
        return int(value)

    def price(self) -> Price:
        """Nothing is free unless it says so: a cap without prices would be none."""
        if self.kind == "everyrow":
            return Price(row=self.number("price_row", None, 0, 100))
        if self.kind == "simulated":
            given = (self.number(one, 0.0, 0, 10_000) for one in ("price_in", "price_out"))
            return Price(*given)
        given = (self.number(one, None, 0, 10_000) for one in ("price_in", "price_out"))
        return Price(*given)

    def base_url(self, default: str) -> str:
        fallback = default if self.kind == "everyrow" else None
        if self.kind == "anthropic":
            fallback = "https://api.anthropic.com"
        url = self.text("base_url", fallback)
        if not re.fullmatch(r"https?://[^/@\s][^@\s]*", url):
            raise self.wrong("base_url", "must begin with http:// or https:// and hold no password")
        return url

    def key(self, environment: Mapping[str, str]) -> str | None:
        """From the environment. A server of one's own often needs none: `"key_env": ""`."""
        variable = self.given.get("key_env", KEYS[self.kind])
        if not variable:
            return None
        key = environment.get(str(variable))
        if not key:
            raise self.wrong("key_env", f"names {variable}, which is not set in the environment")
        return key

    def wire(
        self,
        environment: Mapping[str, str],
        headers: Callable[[str], Mapping[str, str]],
        default: str = "",
    ) -> Wire:
        key = self.key(environment)
        return Wire(
            self.name,
            self.base_url(default),
            headers(key) if key else {},
            key=key,
            timeout=self.number("timeout_seconds", 120.0, 0.05, 3600),
        )


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _openai(options: _Options, environment: Mapping[str, str]) -> Provider:
    return OpenAiCompatible(
        name=options.name,
        model=options.text("model"),
        price=options.price(),
        concurrency=options.whole("concurrency", 4, 1, 64),
        wire=options.wire(environment, _bearer),
        structured=bool(options.given.get("structured", True)),
    )


def _anthropic(options: _Options, environment: Mapping[str, str]) -> Provider:
    def headers(key: str) -> Mapping[str, str]:
        return {"x-api-key": key, "anthropic-version": ANTHROPIC_VERSION}

    return Anthropic(
        name=options.name,
        model=options.text("model"),
        price=options.price(),
        concurrency=options.whole("concurrency", 4, 1, 64),
        wire=options.wire(environment, headers),
    )


def _everyrow(options: _Options, environment: Mapping[str, str]) -> Provider:
    default = environment.get("EVERYROW_API_URL", EVERYROW)
    return Everyrow(
        name=options.name,
        model=options.text("model", "low"),
        price=options.price(),
        concurrency=options.whole("concurrency", 2, 1, 64),
        wire=options.wire(environment, _bearer, default),
        together=options.whole("rows", 100, 1, 1000),
    )


def _simulated(options: _Options, environment: Mapping[str, str]) -> Provider:
    del environment
    confidence = options.text("confidence", "calibrated")
    if confidence not in CONFIDENCES:
        raise options.wrong("confidence", f"must be one of: {', '.join(CONFIDENCES)}")
    return Simulated(
        name=options.name,
        truth=dict(_truth(options)).get,
        model=options.text("model", "simulated"),
        price=options.price(),
        error=options.number("error", 0.05, 0, 1),
        skill=options.number("skill", 0.8, 0, 1),
        confidence=confidence,  # type: ignore[arg-type]  # checked above
        spelling=options.number("spelling", 0.0, 0, 1),
        latency=options.number("latency", 0.0, 0, 60),
        seed=options.whole("seed", 0, 0, 2**31 - 1),
        concurrency=options.whole("concurrency", 4, 1, 64),
    )


def _truth(options: _Options) -> Iterator[tuple[str, str]]:
    """Texts and labels of the file that it knows by heart."""
    file = Path(options.text("truth"))
    try:
        with file.open("rb") as source:
            for _, row in FileRows().read(source, name=file.name, required=("text", "label")):
                if not isinstance(row, Rejection) and row.get("label") not in (None, ""):
                    yield str(row["text"]), str(row["label"])
    except OSError as problem:
        raise options.wrong("truth", f"cannot be read: {problem.strerror}") from None


MAKERS: Mapping[str, Callable[[_Options, Mapping[str, str]], Provider]] = {
    "openai-compatible": _openai,
    "anthropic": _anthropic,
    "everyrow": _everyrow,
    "simulated": _simulated,
}
