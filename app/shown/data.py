"""How a project's items look from outside: splits, classes, duplicates."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.core.entities import Project
from app.ports.store import Transaction

EXAMPLE: Any = {
    "splits": [
        {"split": "pool", "items": 4200, "duplicates": 76},
        {"split": "test", "items": 580, "duplicates": 0},
    ],
    "classes": [{"label": "refund", "pool": 120, "held_out": 201}],
    "copied": [{"item": "t-17", "copies": 9, "fields": {"text": "Where is my parcel?"}}],
}


class SplitOut(BaseModel):
    split: str = Field(description="`pool`, `validation` or `test`.")
    items: int
    duplicates: int = Field(description="Of these, set aside: another item stands for them.")


class ClassOut(BaseModel):
    label: str
    pool: int = Field(description="Items of the pool that have this label now.")
    held_out: int = Field(description="Held-out items that have it.")


class CopiedOut(BaseModel):
    """A text that came more than once."""

    item: str
    copies: int = Field(description="Set aside, beside the item itself.")
    fields: dict[str, str] = Field(description="How they begin.")


class DataOut(BaseModel):
    """What there is, as of the last import and the last label."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    splits: list[SplitOut]
    classes: list[ClassOut] = Field(description="In the order of the project's labels.")
    copied: list[CopiedOut] = Field(description="The texts that came most often, at most 20.")


def read_in(tx: Transaction, project: Project) -> DataOut:
    figures = tx.figures.splits(project.id)
    return DataOut(
        splits=[SplitOut(**one) for one in figures["splits"]],
        copied=[CopiedOut(**one) for one in figures["copied"]],
        classes=_classes(project.task.labels, tx.figures.classes(project.id)),
    )


def _classes(labels: Sequence[str], counted: Sequence[Mapping[str, Any]]) -> list[ClassOut]:
    found = {name: ClassOut(label=name, pool=0, held_out=0) for name in labels}
    for one in counted:
        of = found.setdefault(one["label"], ClassOut(label=one["label"], pool=0, held_out=0))
        if one["split"] == "pool":
            of.pool += one["items"]
        else:
            of.held_out += one["items"]
    return list(found.values())
