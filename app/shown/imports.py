"""How an import looks from outside."""

from dataclasses import asdict

from pydantic import BaseModel, Field

from app.core.entities import ImportReport


class Rejected(BaseModel):
    line: int
    field: str | None = Field(description="null where the whole line is at fault.")
    reason: str


class ImportOut(BaseModel):
    """What became of an import."""

    received: int
    created: int
    updated: int
    unchanged: int
    duplicates: int = Field(description="Rows whose text another item has already.")
    labelled: int = Field(description="Labels that came with the rows.")
    rejected: int
    rejections: list[Rejected] = Field(description="The first 1,000 of them.")
    notes: list[str]

    @classmethod
    def of(cls, report: ImportReport) -> "ImportOut":
        return cls(**{**asdict(report), "notes": list(report.notes)})
