"""Is the process alive, can it serve, and what does it count."""

from collections.abc import Callable

import anyio
import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.api.access import Parts
from app.api.problems import problems, public_reason
from app.api.wiring import ApiParts
from app.core.errors import RoundsError
from app.ports.store import Store

router = APIRouter(tags=["health"])
PATIENCE = 5.0
NO_WORKER = "No worker has been seen in the last minute: rounds will not go on."
log = structlog.get_logger()


class Alive(BaseModel):
    status: str = "alive"


class Check(BaseModel):
    state: str
    reason: str | None = None


class Workers(BaseModel):
    seen_in_the_last_minute: int | None
    note: str | None = None


class Ready(BaseModel):
    status: str
    checks: dict[str, Check]
    workers: Workers


@router.get("/healthz", summary="The process is alive")
async def health() -> Alive:
    return Alive()


@router.get(
    "/readyz",
    summary="Database, migrations and Argilla answer",
    responses={503: {"description": "One of them does not.", "model": Ready}},
)
async def ready(request: Request, response: Response, parts: Parts) -> Ready:
    threads: CapacityLimiter = request.app.state.check_threads
    checks = {
        "database": await _checked("database", lambda: _connect(parts.store), threads),
        "migrations": await _checked("migrations", parts.store.check, threads),
        "argilla": await _checked("argilla", parts.ping_tool, threads),
    }
    good = all(check.state == "ok" for check in checks.values())
    response.status_code = 200 if good else 503
    workers = await _workers(parts, threads) if checks["migrations"].state == "ok" else None
    note = NO_WORKER if workers == 0 else None
    return Ready(
        status="ready" if good else "not ready",
        checks=checks,
        workers=Workers(seen_in_the_last_minute=workers, note=note),
    )


async def _checked(name: str, check: Callable[[], None], threads: CapacityLimiter) -> Check:
    try:
        with anyio.fail_after(PATIENCE):
            await to_thread.run_sync(check, limiter=threads, abandon_on_cancel=True)
    except TimeoutError:
        return Check(state="slow", reason=f"No answer within {PATIENCE:g} seconds.")
    except RoundsError as problem:
        log.warning("ready.not", check=name, reason=problem.message)
        return Check(state="down", reason=public_reason(problem))
    return Check(state="ok")


async def _workers(parts: ApiParts, threads: CapacityLimiter) -> int | None:
    try:
        return await to_thread.run_sync(parts.store.workers, limiter=threads)
    except RoundsError:
        return None


def _connect(store: Store) -> None:
    with store.transaction():
        pass


@router.get(
    "/metrics",
    summary="Counts for Prometheus",
    description="Needs no key and names no project, item or person.",
    response_class=Response,
    responses={
        **problems(),
        200: {"description": "", "content": {"text/plain": {"schema": {"type": "string"}}}},
    },
)
def metrics(request: Request, parts: Parts) -> Response:
    with parts.store.transaction() as tx:
        totals = tx.views.totals()
    totals = {**totals, "workers": parts.store.workers()}
    text, media_type = request.app.state.meter.scrape(totals)
    return Response(text, media_type=media_type)
