"""Cells of tables that people open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return "'" + cell
    return cell


def comma_separated(lines: Sequence[Sequence[Any]]) -> bytes:
    return _table(lines, "excel")


def tab_separated(lines: Sequence[Sequence[Any]]) -> bytes:
    return _table(lines, "unix_tabs")


class _UnixTabs(csv.excel_tab):
    lineterminator = "\n"


csv.register_dialect("unix_tabs", _UnixTabs)


def _table(lines: Sequence[Sequence[Any]], dialect: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, dialect).writerows([[harmless(cell) for cell in line] for line in lines])
    return text.getvalue().encode()
