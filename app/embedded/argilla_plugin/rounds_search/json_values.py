"""Values inside JSON columns as rows of a subquery, so that one value and a list read alike."""

from dataclasses import dataclass
from typing import Any

from argilla_server.models import Record
from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    String,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.selectable import FromClause


def json_at(json_column: Any, *path: str) -> ColumnElement:
    """What lies at a path in a JSON column; NULL when it is not there."""
    node = cast(json_column, JSONB)
    for key in path:
        node = node[key]
    return node


def elements(node: ColumnElement) -> FromClause:
    """A row for each element of a list; a single value is a list of one."""
    is_list = func.jsonb_typeof(node) == "array"
    as_list = case((is_list, node), else_=func.jsonb_build_array(node))
    rows = func.jsonb_array_elements(as_list).table_valued(column("element", JSONB))
    return rows.render_derived().lateral()


def as_text(element: ColumnElement) -> ColumnElement:
    """A JSON scalar as people read it: without quotes."""
    return element.op("#>>", return_type=String())(literal_column("'{}'"))


def as_number(element: ColumnElement) -> ColumnElement:
    """A JSON number; NULL for anything else, so that a stray text breaks no query."""
    return case((func.jsonb_typeof(element) == "number", cast(as_text(element), Double)))


@dataclass(frozen=True)
class ScopedValues:
    """All values that one record has in one scope, to be compared or sorted by."""

    rows: Select
    value: ColumnElement
    numeric: bool

    @classmethod
    def of_json(
        cls, node: ColumnElement, source: FromClause | None = None, *, numeric: bool
    ) -> "ScopedValues":
        """The values at a JSON node of a record, or of the rows of `source` that belong to it."""
        unnested = elements(node)
        start = unnested if source is None else source.join(unnested, true())
        value = (as_number if numeric else as_text)(unnested.c.element)
        return cls(select(value).select_from(start).correlate(Record), value, numeric)

    def where(self, *conditions: ColumnElement) -> "ScopedValues":
        """Only those that meet the conditions."""
        return ScopedValues(self.rows.where(*conditions), self.value, self.numeric)

    def any(self, condition: ColumnElement) -> ColumnElement:
        """Whether at least one value meets the condition."""
        return self.rows.where(condition).exists()

    def pick(self, aggregate: str) -> ColumnElement:
        """One value to sort by: the smallest, the largest, or the mean of them."""
        return self.rows.with_only_columns(getattr(func, aggregate)(self.value)).scalar_subquery()
