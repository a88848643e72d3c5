"""JSON lines: one object a line."""

from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

from app.adapters.readers.streams import TooLong, lines_of
from app.core.importing import Rejection
from app.ports.rows import ReadLimits, Row

# NaN and Infinity are no JSON, but Python writes them for gaps
_decode = JSONDecoder(parse_constant=lambda _: None).decode


def read_jsonl(chunks: Iterator[bytes], limits: ReadLimits) -> Iterator[Row]:
    """Blank lines are skipped; a line that is no JSON object is a rejection."""
    for number, line in enumerate(lines_of(chunks, limits.max_line_bytes), start=1):
        if isinstance(line, TooLong):
            yield (
                number,
                Rejection(
                    number, None, f"The line is longer than {limits.max_line_bytes:,} bytes."
                ),
            )
        elif line and not line.isspace():
            yield number, _object(line, number)


def _object(line: bytes, number: int) -> dict[str, Any] | Rejection:
    try:
        value = _decode(line.decode())
    except UnicodeDecodeError as error:
        return Rejection(number, None, f"Not UTF-8: a wrong byte at position {error.start + 1}.")
    except (ValueError, RecursionError) as error:
        return Rejection(number, None, _reason(line, error))
    if not isinstance(value, dict):
        return Rejection(number, None, f"Not a JSON object but {_kind(value)}.{_hint(line)}")
    return value


def _reason(line: bytes, error: Exception) -> str:
    if b"\0" in line:
        return "The line holds a NUL byte."
    if isinstance(error, RecursionError):
        return "Not readable as JSON: nested too deep."
    if isinstance(error, JSONDecodeError):
        return f"Not valid JSON: {error.msg} at character {error.pos + 1}.{_hint(line)}"
    return f"Not readable as JSON: {str(error).partition(';')[0]}."


def _hint(line: bytes) -> str:
    if line.lstrip().startswith(b"["):
        return " JSON Lines has one object a line; of an array, `jq -c '.[]' FILE` makes that."
    return ""


def _kind(value: object) -> str:
    return {list: "an array", str: "a text", bool: "true or false", type(None): "null"}.get(
        type(value), "a number"
    )
