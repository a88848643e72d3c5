"""Tables that leave a page as a file."""

from collections.abc import Sequence
from typing import Any

from fastapi.responses import Response

from app.exits.cells import comma_separated


def csv_file(name: str, head: Sequence[str], lines: Sequence[Sequence[Any]]) -> Response:
    """To be opened in a spreadsheet: cells that look like formulas are marked as text."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(comma_separated([head, *lines]), media_type="text/csv", headers=headers)
