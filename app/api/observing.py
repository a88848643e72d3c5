"""Every request in the log and in the metrics: by route template, never by what it carried."""

import traceback
from collections.abc import Callable, Mapping
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
QUIET = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds by machines; they would drown the rest."""
log = structlog.get_logger()


class Meter:
    """What Prometheus reads; one a process and application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "rounds_http_request_seconds",
            "Time until the answer begins.",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._totals: dict[str, Gauge] = {}

    def scrape(self, totals: Mapping[str, int]) -> tuple[bytes, str]:
        for name, value in totals.items():
            if name not in self._totals:
                self._totals[name] = Gauge(
                    f"rounds_{name}", f"{name.replace('_', ' ')} now", registry=self.registry
                )
            self._totals[name].set(value)
        encode, media_type = choose_encoder("")
        return encode(self.registry), media_type


class Observing:
    """Outermost: sees every answer, and makes one of what nobody caught."""

    def __init__(self, app: ASGIApp, meter: Meter, answer: Callable[[Scope], ASGIApp]) -> None:
        self.app = app
        self.meter = meter
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        seen: dict[str, float] = {}

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                seen["seconds"] = perf_counter() - began
            await send(message)

        try:
            await self.app(scope, receive, observed)
        except Exception as defect:
            _log_defect(scope, defect)
            if "status" in seen:
                raise
            await self.answer(scope)(scope, receive, observed)
        finally:
            self._note(scope, seen)

    def _note(self, scope: Scope, seen: Mapping[str, float]) -> None:
        status = int(seen.get("status", 499))  # 499: the client left before the answer
        seconds = seen.get("seconds", 0.0)
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = template_of(scope)
        self.meter.seconds.labels(method, route, str(status)).observe(seconds)
        note = log.debug if route in QUIET else log.info
        note(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            key=scope.get("state", {}).get("key_name"),
        )


def template_of(scope: Scope) -> str:
    """`/api/v1/projects/{name}`: addresses hold names, and there are endlessly many."""
    return getattr(scope.get("route"), "path_format", None) or "unmatched"


def _log_defect(scope: Scope, defect: Exception) -> None:
    # an error's own words may repeat a text or a row of the database; where it happened does not
    frames = traceback.extract_tb(defect.__traceback__)
    log.error(
        "request.defect",
        route=template_of(scope),
        kind=type(defect).__name__,
        trace=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    )
