"""Answers that are files."""

from collections.abc import Iterator
from typing import Any

from fastapi.responses import StreamingResponse

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def download(content: Iterator[bytes], media_type: str, file_name: str) -> StreamingResponse:
    """Sent piece by piece, to be kept under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return StreamingResponse(content, media_type=media_type, headers=headers)
