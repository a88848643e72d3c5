"""Which format a file has: as said, or as its content type, name or first bytes tell."""

from pathlib import PurePath

from app.core.errors import WrongInput

JSONL, CSV, TSV, PARQUET = "jsonl", "csv", "tsv", "parquet"
KNOWN = "JSONL, CSV, TSV, Parquet, and gzip of these"
PARQUET_MAGIC = b"PAR1"

_NAMES = {
    "jsonl": JSONL,
    "ndjson": JSONL,
    "json": JSONL,
    "jsonlines": JSONL,
    "csv": CSV,
    "tsv": TSV,
    "tab": TSV,
    "parquet": PARQUET,
    "pq": PARQUET,
}
_CONTENT_TYPES = {
    "application/x-ndjson": JSONL,
    "application/ndjson": JSONL,
    "application/jsonl": JSONL,
    "application/x-jsonlines": JSONL,
    "application/json-lines": JSONL,
    "application/json": JSONL,
    "text/csv": CSV,
    "application/csv": CSV,
    "text/tab-separated-values": TSV,
    "application/vnd.apache.parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "application/parquet": PARQUET,
}
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def format_of(head: bytes, *, given: str | None, content_type: str | None, name: str | None) -> str:
    """The format of a file that begins with `head`; WrongInput if none of ours."""
    named = _named(given) or _by_content_type(content_type) or _by_suffix(name)
    if head.startswith(PARQUET_MAGIC) and named in (None, JSONL):
        return PARQUET  # no JSON begins like this
    if named == PARQUET and not head.startswith(PARQUET_MAGIC):
        raise WrongInput("This is not a Parquet file.", field="format")
    _refuse_foreign(head)
    return named or _by_content(head)


def _named(given: str | None) -> str | None:
    if not given:
        return None
    try:
        return _NAMES[given.lower().removesuffix(".gz").removesuffix("+gzip")]
    except KeyError:
        raise WrongInput(
            f"Unknown format {given[:40]!r}. Known: {KNOWN}.", field="format"
        ) from None


def _by_content_type(content_type: str | None) -> str | None:
    return _CONTENT_TYPES.get((content_type or "").partition(";")[0].strip().lower())


def _by_suffix(name: str | None) -> str | None:
    path = PurePath((name or "").lower())
    suffix = PurePath(path.stem).suffix if path.suffix in (".gz", ".gzip") else path.suffix
    return _NAMES.get(suffix.lstrip("."))


def _refuse_foreign(head: bytes) -> None:
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise WrongInput(f"The file is {what}. Known: {KNOWN}, text in UTF-8.", field="format")


def _by_content(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start or start[:1] in b"{[":
        return JSONL
    raise WrongInput(
        f"Cannot tell what format this is. Name it (format=…), or give a content type or a file "
        f"name that does. Known: {KNOWN}.",
        field="format",
    )
