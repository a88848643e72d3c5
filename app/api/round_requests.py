"""What may be said to start a round."""

from pydantic import BaseModel, ConfigDict, Field


class RoundStart(BaseModel):
    """How to start; nothing need be sent."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"auto": True}]}
    )

    auto: bool = Field(False, description="Rounds follow each other until a stopping rule holds.")


class AuditStart(BaseModel):
    """How many items to draw; 100 if nothing is sent."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"size": 100}]}
    )

    size: int | None = Field(None, ge=1, le=1000)


class RelabelStart(BaseModel):
    """Which doubted labels to decide again; nothing need be sent."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"items": ["t-17"]}]}
    )

    items: list[str] | None = Field(
        None, max_length=500, description="Of the doubts; null is a batch of the clearest."
    )
