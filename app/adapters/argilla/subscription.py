"""Argilla tells us when somebody has answered, if our key may ask for that."""

from typing import Any

from app.adapters.argilla.connection import Connection, Rejected

EVENTS = ("response.created", "response.updated", "response.deleted")
DESCRIPTION = "Rounds: answers are collected at once instead of at the next poll"
FORBIDDEN = 403


def ensure_webhook(connection: Connection, url: str) -> str | None:
    """The secret of the one webhook of this address; None where our key may not subscribe.

    Argilla shows the secret each time it lists the webhooks, so nothing need be kept. Two callers
    at once may both create one: the oldest stays.
    """
    try:
        ours = _of_url(connection, url) or _created(connection, url)
    except Rejected as refusal:
        if refusal.http_status == FORBIDDEN:
            return None
        raise
    kept, *doubles = ours
    for one in doubles:
        if one["description"] == DESCRIPTION:
            connection.call("DELETE", f"webhooks/{one['id']}")
    if not kept["enabled"] or not set(EVENTS) <= set(kept["events"]):
        events = sorted({*EVENTS, *kept["events"]})
        body = {"enabled": True, "events": events}
        connection.call("PATCH", f"webhooks/{kept['id']}", body=body)
    return str(kept["secret"])


def _created(connection: Connection, url: str) -> list[Any]:
    body = {"url": url, "events": list(EVENTS), "description": DESCRIPTION}
    made = connection.call("POST", "webhooks", body=body)
    return _of_url(connection, url) or [made]


def _of_url(connection: Connection, url: str) -> list[Any]:
    """Webhooks of this address, oldest first. Argilla adds a slash to an address without a path."""
    listed = connection.get("webhooks")["items"]
    return [one for one in listed if one["url"].rstrip("/") == url.rstrip("/")]
