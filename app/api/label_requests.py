"""What may be said to edit a project's labels."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.bounds import documented


class LabelEdit(BaseModel):
    """The labels from the next round on, and what becomes of the present ones."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "labels": ["refund", "delivery late", "delivery lost", "praise", "other"],
                    "mapping": {"money back": "refund", "delivery": None},
                }
            ]
        },
    )

    labels: list[str] = Field(
        description="All of them, in the order annotators see.",
        json_schema_extra=documented(minItems=2, maxItems=500, uniqueItems=True),
    )
    mapping: dict[str, str | None] = Field(
        default_factory=dict,
        description="Old label to new label, two to one to merge them; null lets its items be "
        "looked at again. A label that keeps its name need not be named.",
    )
    in_flight: bool = Field(
        False,
        description="With a round open: it is finished with the answers there are, and the labels "
        "are edited as it closes. Otherwise an open round is a conflict.",
    )
    expected: str | None = Field(
        None,
        description="The `fingerprint` that `labels/foresee` gave. If the edit would change "
        "something else by now, since labels were given in between, nothing is changed and the "
        "answer is 409.",
        max_length=64,
    )
