"""Argilla tells us of answers. A hint to look now, never the source of truth."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from standardwebhooks import Webhook

from app.api.access import Parts
from app.api.problems import problems
from app.api.wiring import ApiParts
from app.core.errors import NotAuthenticated, NotFound

router = APIRouter(tags=["webhooks"])
log = structlog.get_logger()


@router.post(
    "/webhooks/argilla",
    status_code=204,
    summary="Receive a webhook of Argilla",
    description="Signed by the Standard Webhooks scheme. Answers are then looked for at once.",
    responses=problems(401, 404, 413),
)
async def receive_webhook(request: Request, parts: Parts) -> Response:
    body = await request.body()
    await to_thread.run_sync(_take, parts, dict(request.headers), body)
    return Response(status_code=204)


def _take(parts: ApiParts, headers: Mapping[str, str], body: bytes) -> None:
    secret = parts.webhook_secret()
    if secret is None:
        raise NotFound("No webhook is set up with Argilla; answers are found by polling.")
    dataset_id = dataset_of(verified(secret, headers, body))
    if dataset_id is None:
        return
    with parts.store.transaction() as tx:
        known = tx.projects.hasten(dataset_id)
    log.debug("webhook.taken", known=known)


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> Any:
    """The payload, if it is signed with our secret and not older than five minutes."""
    try:
        return Webhook(secret).verify(body, dict(headers))
    except Exception:  # the library raises many kinds for what is malformed; none is to be told
        raise NotAuthenticated(
            "The webhook's signature is missing, wrong, or too old. Check the secret and the clock."
        ) from None


def dataset_of(payload: Any) -> UUID | None:
    """The dataset an event is about, wherever its kind of event has it."""
    data = payload.get("data") if isinstance(payload, Mapping) else None
    if not isinstance(data, Mapping):
        return None
    about_dataset = str(payload.get("type", "")).startswith("dataset.")
    places = (_inside(data, "record", "dataset"), _inside(data, "dataset"))
    found = next((place for place in places if place), data if about_dataset else {})
    try:
        return UUID(str(found.get("id")))
    except ValueError:
        return None


def _inside(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        inner = data.get(name)
        data = inner if isinstance(inner, Mapping) else {}
    return data
