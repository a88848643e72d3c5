"""One imported row becomes an item to store, or a rejection that says what is wrong with it."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from app.core.errors import WrongInput
from app.core.json_values import NotJson, storable
from app.core.tasks import TaskSpec, Value, task_type
from app.core.types import Split

ID, SPLIT = "id", "split"
HASH_BYTES = 16
SHOWN = 60  # characters of a wrong value that a reason repeats

SPLITS = {
    "train": Split.POOL,
    "pool": Split.POOL,
    "unlabelled": Split.POOL,
    "unlabeled": Split.POOL,
    "validation": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "dev": Split.VALIDATION,
    "test": Split.TEST,
}


@dataclass(frozen=True, slots=True)
class RowLimits:
    """Bounds of one item; what is longer is rejected, never cut."""

    max_text_chars: int = 200_000
    max_id_chars: int = 500


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that is not taken. `field` is None where the whole line is at fault."""

    line: int
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row that can be stored as it stands."""

    external_id: str
    fields: dict[str, str]
    metadata: dict[str, Any]
    split: Split | None
    """None where the row names none: a new item goes to the pool, a known one stays."""
    label: Value | None
    text_hash: bytes


def check_row(
    row: Mapping[str, Any],
    line: int,
    task: TaskSpec,
    fields: Sequence[str],
    limits: RowLimits,
) -> ImportRow | Rejection:
    """The item in `row`, or why it cannot be taken."""
    try:
        texts = {name: _text(row.get(name), name, limits.max_text_chars) for name in fields}
        text_hash = hash_of(texts, fields)
        answers = task_type(task)
        return ImportRow(
            external_id=_external_id(row.get(ID), limits) or derived_id(text_hash),
            fields=texts,
            metadata=_metadata(row, {ID, SPLIT, *fields, *answers.gold_columns()}),
            split=_split(row.get(SPLIT)),
            label=answers.read_gold(row, task),
            text_hash=text_hash,
        )
    except WrongInput as wrong:
        return Rejection(line, wrong.field, wrong.message)


def text_problem(value: object, name: str, limits: RowLimits) -> str | None:
    """Why this cannot be a text; None if it can."""
    try:
        _text(value, name, limits.max_text_chars)
    except WrongInput as wrong:
        return wrong.message
    return None


def classifier_text(fields: Mapping[str, str], names: Sequence[str]) -> str:
    """What the classifier reads of an item. Nothing else decides this."""
    return fields[names[0]] if len(names) == 1 else "\n".join(fields[name] for name in names)


def hash_of(fields: Mapping[str, str], names: Sequence[str]) -> bytes:
    """The same for texts that a reader would call the same; equal hashes are duplicates."""
    # the separator is white space, so no normalised text can hold it
    joined = "\x1f".join([_normalised(fields[name]) for name in names])
    return blake2b(joined.encode(), digest_size=HASH_BYTES).digest()


def derived_id(text_hash: bytes) -> str:
    """The id of a row that brings none: importing the same file again meets the same items."""
    return f"text-{text_hash.hex()}"


def _normalised(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def _text(value: object, name: str, most: int) -> str:
    if not isinstance(value, str):
        raise _not_text(value, name)
    if len(value) > most:
        raise WrongInput(f"{len(value):,} characters; at most {most:,} are taken.", field=name)
    _check_characters(value, name)
    if not value[:1].isalnum() and _is_blank(value):
        raise WrongInput("The text is empty.", field=name)
    return value


def _not_text(value: object, name: str) -> WrongInput:
    if value is None:
        return WrongInput(f"The row has no {name!r}.", field=name)
    return WrongInput(f"Text is needed, not {_kind(value)}.", field=name)


def _is_blank(text: str) -> bool:
    """Also true of text that holds nothing but invisible characters (zero-width, control)."""
    return not any(char.isprintable() and not char.isspace() for char in text)


def _check_characters(text: str, name: str) -> None:
    """Refuse what Postgres cannot store."""
    if "\x00" in text:
        raise WrongInput("The text holds a NUL character.", field=name)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise WrongInput(
                f"Half a character (a lone surrogate) at position {error.start + 1}.", field=name
            ) from None


def _external_id(value: object, limits: RowLimits) -> str | None:
    """Numbers are taken as text; null and empty mean that the row has no id."""
    if value is None:
        return None
    if not isinstance(value, str):
        value = _number_as_text(value)
    if not value or value.isspace():
        return None
    if len(value) > limits.max_id_chars:
        raise WrongInput(
            f"{len(value):,} characters; at most {limits.max_id_chars} are taken.", field=ID
        )
    _check_characters(value, ID)
    return value


def _number_as_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongInput(f"An id is text or a number, not {_kind(value)}.", field=ID)
    if isinstance(value, float):
        if math.isnan(value):  # how a column with gaps is often written
            return ""
        # a column of whole numbers with gaps comes as 7.0
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _split(value: object) -> Split | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise WrongInput(f"A split is text, not {_kind(value)}.", field=SPLIT)
    split = SPLITS.get(value) or SPLITS.get(value.strip().lower())
    if split is None:
        raise WrongInput(
            f"Unknown split {value[:SHOWN]!r}. Known: train (the pool), validation, test.",
            field=SPLIT,
        )
    return split


def _metadata(row: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    metadata = {}
    for name, value in row.items():
        if name not in taken:
            try:
                metadata[name] = storable(value)
                storable(name)
            except NotJson as reason:
                # the name itself may be what cannot be stored, in a report just as little
                raise WrongInput(str(reason), field=ascii(name[:SHOWN])[1:-1]) from None
    return metadata


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", int: "a number"}
    return names.get(type(value), "a number" if isinstance(value, float) else type(value).__name__)
