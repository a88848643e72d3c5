"""All routes of the API."""

from fastapi import APIRouter

from app.api import events, health, items, keys, llm, projects, results, rounds, webhooks


def api_router() -> APIRouter:
    """Everything that is not a page."""
    router = APIRouter()
    for part in (projects, items, rounds, results, llm, events, keys, webhooks, health):
        router.include_router(part.router)
    return router
