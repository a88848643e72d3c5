"""The web application: API and pages over wired parts."""

import gc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from anyio import CapacityLimiter
from fastapi import FastAPI

from app.api.documentation import add_documentation
from app.api.guarding import Bounded, Headed
from app.api.news import News
from app.api.observing import Meter, Observing
from app.api.problems import add_problem_handlers
from app.api.routes import api_router
from app.api.wiring import ApiParts
from app.web.errors import defect_answer
from app.web.routes import add_pages

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
DESCRIPTION = (
    "Turn an unlabelled pile of text into a trained classifier, with as few human labels as "
    "honestly possible. Send an API key as `Authorization: Bearer <key>`; errors are "
    "`application/problem+json`."
)


def create_app(parts: ApiParts, *, lifespan: Lifespan | None = None) -> FastAPI:
    """The application. It touches nothing of `parts` before the first request."""
    app = FastAPI(
        title="Rounds",
        version=parts.version,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # the usual page loads its scripts from elsewhere
        redoc_url=None,
    )
    _add_state(app, parts)
    add_problem_handlers(app)
    add_documentation(app)
    app.include_router(api_router())
    add_pages(app)
    app.add_middleware(Bounded, parts=parts)
    app.add_middleware(Observing, meter=app.state.meter, answer=defect_answer)
    app.add_middleware(Headed)
    return app


def settle() -> None:
    """Before the first request: what is there by now stays for good. Garbage collections that walk
    over it all the same make one request in a dozen wait for an eighth of a second."""
    gc.collect()
    gc.freeze()


def _add_state(app: FastAPI, parts: ApiParts) -> None:
    app.state.parts = parts
    app.state.meter = Meter()
    app.state.news = News(parts.store, parts.max_streams)
    # imports are long, and a check may hang: neither may take the threads of quick requests
    app.state.import_threads = CapacityLimiter(4)
    app.state.check_threads = CapacityLimiter(4)
