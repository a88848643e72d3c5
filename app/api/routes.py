"""All routes of the API."""

from fastapi import APIRouter

from app.api import (
    actions,
    annotators,
    bundles,
    data,
    estimates,
    events,
    health,
    items,
    keys,
    llm,
    projects,
    results,
    rounds,
    webhooks,
)


def api_router() -> APIRouter:
    """Everything that is not a page."""
    router = APIRouter()
    parts = (
        projects, bundles, items, rounds, results, estimates, data, annotators, llm, events,
        actions, keys, webhooks, health,
    )  # fmt: skip
    for part in parts:
        router.include_router(part.router)
    return router
