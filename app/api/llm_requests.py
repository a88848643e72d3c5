"""What may be said about LLMs: whom to ask, about what."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LabelPurpose = Literal["label", "weak_labels"]


class Asking(BaseModel):
    """Whom to ask, about which items."""

    model_config = ConfigDict(extra="forbid", strict=True)

    provider: str | None = Field(None, description="The project's own if left out.")
    round: int | None = Field(None, ge=1, description="The items of this round's batch.")
    limit: int = Field(100, ge=1, le=200, description="Items at most; repeat to go on.")
    estimate: bool = Field(False, description="Say what it would cost and ask nothing.")


class LabelAsking(Asking):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"gold": True, "limit": 100}]}
    )

    purpose: LabelPurpose = "label"
    gold: bool = Field(False, description="Items that people have labelled, to measure trust.")


class AdoptAsking(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"min_confidence": 0.85}]}
    )

    provider: str | None = None
    purpose: LabelPurpose = "label"
    min_confidence: float = Field(0.0, ge=0, le=1)


class SelectAsking(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"size": 32}]}
    )

    provider: str | None = None
    size: int = Field(32, ge=1, le=320, description="How many; 32 a prompt of 200 texts.")
    estimate: bool = False


class DoubtAsking(Asking):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"limit": 20, "samples": 5}]}
    )

    samples: int = Field(5, ge=1, le=20, description="How often each item is asked about.")


class JudgeAsking(Asking):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"round": 3}]}
    )


class JobAsking(BaseModel):
    """A long run: workers ask, a few items at a time."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"purpose": "label", "limit": 5000}]},
    )

    purpose: Literal["label", "weak_labels", "judge"]
    provider: str | None = Field(None, description="The project's own if left out.")
    round: int | None = Field(None, ge=1, description="The items of this round's batch.")
    gold: bool = Field(False, description="Items that people labelled; always so for `judge`.")
    limit: int = Field(1_000, ge=1, le=100_000, description="Items at most.")
    estimate: bool = Field(False, description="Say what it would cost and begin nothing.")


class Reopening(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{}]})

    provider: str | None = Field(None, description="The project's own if left out.")
