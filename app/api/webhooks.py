"""Argilla tells us of answers: a hint to look now, and what a look can no longer see."""

from collections.abc import Mapping
from typing import Any

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from standardwebhooks import Webhook

from app.api.access import Parts
from app.api.announcing import answer_in, dataset_of
from app.api.problems import problems
from app.api.wiring import ApiParts
from app.core.errors import NotAuthenticated, NotFound
from app.rounds import announced

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
    payload = verified(secret, headers, body)
    dataset_id = dataset_of(payload)
    if dataset_id is None:
        return
    told = answer_in(payload)
    with parts.store.transaction() as tx:
        if told is not None:
            announced.keep(tx, dataset_id, told)
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
