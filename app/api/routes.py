"""All routes of the API."""

from fastapi import APIRouter

from app.api import (
    annotators,
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
    parts = (projects, items, rounds, results, annotators, llm, events, keys, webhooks, health)
    for part in parts:
        router.include_router(part.router)
    return router
