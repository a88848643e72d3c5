"""Long lists, a page at a time."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

Thing = TypeVar("Thing")


class Paged(BaseModel, Generic[Thing]):
    """One page of a long list."""

    items: list[Thing]
    next: int | None = Field(
        None, description="Send this as `after` for the next page; null at the end."
    )
