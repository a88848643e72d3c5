"""How the audit log looks from outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.acting import Via
from app.ports.store import Page
from app.rounds import deeds
from app.shown.pages import Paged

EXAMPLE: Any = {
    "id": 41,
    "at": "2026-01-05T10:00:07Z",
    "by": "anna",
    "did": "started round 3",
    "kind": "round.planned",
    "via": "api",
    "key_id": 7,
    "login": None,
    "project": "tickets",
    "round": 3,
    "detail": {},
}


class ActionOut(BaseModel):
    """One command of one person. It was written in the transaction of its effect, and stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    at: datetime
    by: str = Field(description="The key's name, or the user at the command line.")
    did: str = Field(description="In words.")
    kind: str
    via: Via
    key_id: int | None = Field(description="The key; null at the command line.")
    login: str | None = Field(description="The user of the machine, at the command line.")
    project: str | None = Field(description="Null for what is about no project, such as keys.")
    round: int | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: Mapping[str, Any]) -> "ActionOut":
        return cls(**{**one, "by": deeds.doer(one), "did": deeds.told(one)})


def shown(page: Page) -> Paged[ActionOut]:
    return Paged(items=[ActionOut.of(one) for one in page.items], next=page.next)
