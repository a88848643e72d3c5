"""Who pays for what an LLM does."""

from dataclasses import dataclass

from app.core.llm.entities import Purpose


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays for a call, and where it is counted."""

    project_id: int
    round_id: int | None
    purpose: Purpose
    provider: str
    model: str
    max_cost: int
    """Millionths of a dollar, over the project."""
    max_cost_a_round: int | None
    schema_version: int = 1
    """Of the labels that it is asked to choose from."""
