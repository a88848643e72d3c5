"""How a round made again looks from outside."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ReplayCheck(BaseModel):
    """One thing that was made again."""

    what: str
    same: bool
    message: str
    evidence: dict[str, Any]


class ThenAndNow(BaseModel):
    """A library's version; null if it was not there."""

    then: str | None
    now: str | None


class ReplayOut(BaseModel):
    """A round made again from the records."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "round": 3,
                    "same": True,
                    "checks": [
                        {
                            "what": "batch",
                            "same": True,
                            "message": "20 selections, the same",
                            "evidence": {},
                        }
                    ],
                    "libraries": {},
                }
            ]
        }
    )

    round: int
    same: bool
    checks: list[ReplayCheck]
    libraries: dict[str, ThenAndNow] = Field(description="Those that are not what they were.")
