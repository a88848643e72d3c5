"""One row of an import: taken as meant, or refused with a reason."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.readers import FileRows
from app.core.importing import (
    ImportRow,
    Rejection,
    RowLimits,
    check_row,
    classifier_text,
    derived_id,
    hash_of,
)
from app.core.tasks import TaskSpec
from app.core.types import Split

TASK = TaskSpec("single_label", ("ham", "spam"))
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def checked(
    row: dict[str, Any], fields: tuple[str, ...] = ("text",), limits: RowLimits | None = None
) -> ImportRow | Rejection:
    return check_row(row, 7, TASK, fields, limits or RowLimits())


def taken(row: dict[str, Any], **more: Any) -> ImportRow:
    result = checked(row, **more)
    assert isinstance(result, ImportRow), result
    return result


def refused(row: dict[str, Any], **more: Any) -> Rejection:
    result = checked(row, **more)
    assert isinstance(result, Rejection), result
    assert result.line == 7
    return result


def test_a_whole_row() -> None:
    row = taken({"id": "a", "text": " Hi ", "label": "ham", "split": "train", "lang": "en"})
    assert row.external_id == "a"
    assert row.fields == {"text": " Hi "}  # as it stands: spans count from its beginning
    assert row.label == {"label": "ham"}
    assert row.split is Split.POOL
    assert row.metadata == {"lang": "en"}
    assert len(row.text_hash) == 16


def test_a_bare_text_gets_an_id_from_its_content() -> None:
    row = taken({"text": "Hello"})
    assert row.external_id == derived_id(row.text_hash)
    assert (row.split, row.label, row.metadata) == (None, None, {})
    assert taken({"text": "Hello"}) == row


@pytest.mark.parametrize(
    ("given_id", "external_id"),
    [("x 1", "x 1"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (0, "0"), (10**30, "1" + "0" * 30)],
)
def test_ids_may_be_numbers(given_id: object, external_id: str) -> None:
    assert taken({"id": given_id, "text": "t"}).external_id == external_id


@pytest.mark.parametrize("nothing", [None, "", "  ", float("nan")])
def test_an_empty_id_is_none(nothing: object) -> None:
    assert taken({"id": nothing, "text": "t"}).external_id.startswith("text-")


@pytest.mark.parametrize("bad", [True, [1], {"a": 1}, "x" * 501, "a\x00b", "a\ud800", b"x"])
def test_ids_that_cannot_be_kept(bad: object) -> None:
    assert refused({"id": bad, "text": "t"}).field == "id"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no 'text'"),
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\u200b\u200b", "empty"),
        ("\u200b \ufeff", "empty"),
        (3, "not a number"),
        (3.5, "not a number"),
        (True, "not true or false"),
        ({"a": 1}, "not an object"),
        (["a"], "not a list"),
        (b"bytes", "not bytes"),
        ("a\x00b", "NUL"),
        ("abc\ud800", "surrogate) at position 4"),
        ("x" * 101, "101 characters"),
    ],
)
def test_texts_that_are_refused(text: object, reason: str) -> None:
    rejection = refused({"text": text}, limits=RowLimits(max_text_chars=100))
    assert rejection.field == "text"
    assert reason in rejection.reason


def test_a_missing_column_is_named() -> None:
    assert refused({"body": "hi"}) == Rejection(7, "text", "The row has no 'text'.")


@pytest.mark.parametrize("text", ["?", "…", "🙂", "\u200bword", "x" * 100, "\ufeffhi"])
def test_texts_that_are_taken(text: str) -> None:
    assert taken({"text": text}, limits=RowLimits(max_text_chars=100)).fields == {"text": text}


def test_several_fields_each_have_to_be_there() -> None:
    both = ("title", "body")
    row = taken({"title": "A", "body": "b", "text": "kept aside"}, fields=both)
    assert row.fields == {"title": "A", "body": "b"}
    assert row.metadata == {"text": "kept aside"}
    assert refused({"title": "A", "body": " "}, fields=both).field == "body"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", Split.POOL),
        ("pool", Split.POOL),
        ("unlabelled", Split.POOL),
        ("validation", Split.VALIDATION),
        ("valid", Split.VALIDATION),
        ("dev", Split.VALIDATION),
        (" Dev ", Split.VALIDATION),
        ("TEST", Split.TEST),
        ("", None),
        (None, None),
    ],
)
def test_splits(name: object, split: Split | None) -> None:
    assert taken({"text": "t", "split": name}).split is split


@pytest.mark.parametrize("bad", ["holdout", 1, ["test"], True])
def test_unknown_splits_are_refused(bad: object) -> None:
    assert refused({"text": "t", "split": bad}).field == "split"


def test_labels_are_read_by_the_task() -> None:
    assert taken({"text": "t", "label": "spam"}).label == {"label": "spam"}
    assert taken({"text": "t", "label": None}).label is None
    assert refused({"text": "t", "label": "eggs"}).field == "label"


def test_metadata_of_every_kind_becomes_json() -> None:
    row = taken(
        {
            "text": "t",
            "day": date(2024, 2, 29),
            "at": datetime(2024, 2, 29, 12, tzinfo=UTC),
            "clock": time(1, 2),
            "took": timedelta(seconds=90),
            "price": Decimal("12.50"),
            "count": Decimal("12.00"),
            "no_number": Decimal("NaN"),
            "uid": UUID(int=1),
            "raw": b"abc",
            "vector": np.array([1.5, np.nan], dtype=np.float32),
            "one": np.int64(3),
            "flag": np.bool_(True),
            "gap": float("nan"),
            "endless": float("inf"),
            "nested": {"a": [1, {"b": None, 3: "number as a name"}], "t": (1, 2)},
        }
    )
    assert row.metadata == {
        "day": "2024-02-29",
        "at": "2024-02-29T12:00:00+00:00",
        "clock": "01:02:00",
        "took": 90.0,
        "price": 12.5,
        "count": 12,
        "no_number": None,
        "uid": "00000000-0000-0000-0000-000000000001",
        "raw": "abc",
        "vector": [1.5, None],
        "one": 3,
        "flag": True,
        "gap": None,
        "endless": None,
        "nested": {"a": [1, {"b": None, "3": "number as a name"}], "t": [1, 2]},
    }
    assert type(row.metadata["flag"]) is bool
    json.dumps(row.metadata, allow_nan=False)


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("bad", ["a\x00", "\ud800", b"\xff", {"k\x00": 1}, deep(40), object(), 1j])
def test_metadata_that_cannot_be_stored_is_refused(bad: object) -> None:
    assert refused({"text": "t", "extra": bad}).field == "extra"
    assert refused({"text": "t", "extra": {"inside": bad}}).field == "extra"


@pytest.mark.parametrize("name", ["a\x00", "\ud800"])
def test_a_rejection_can_be_stored_even_if_the_columns_name_cannot(name: str) -> None:
    rejection = refused({"text": "t", name: 1})
    assert rejection.field is not None
    assert rejection.field.isascii()
    assert rejection.field.isprintable()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello  World", "hello world"),
        (" hello\nworld\t", "hello world"),
        ("STRASSE", "straße"),
        ("ﬁne ①", "fine 1"),
        ("e\u0301te\u0301", "été"),
        ("a\u00a0b", "a b"),
    ],
)
def test_what_a_reader_would_call_the_same_has_one_hash(one: str, other: str) -> None:
    assert taken({"text": one}).text_hash == taken({"text": other}).text_hash


def test_the_hash_knows_where_a_field_ends() -> None:
    names = ("a", "b")
    assert hash_of({"a": "x y", "b": "z"}, names) != hash_of({"a": "x", "b": "y z"}, names)


def test_what_the_classifier_reads() -> None:
    fields = {"title": "A", "body": "b", "more": "c"}
    assert classifier_text(fields, ("body",)) == "b"
    assert classifier_text(fields, ("title", "body")) == "A\nb"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters())  # surrogates and NUL among them
NAMES = st.sampled_from(["id", "text", "label", "split", "extra"]) | ANY_TEXT


@given(st.dictionaries(NAMES, VALUES | ANY_TEXT, max_size=6))
def test_whatever_comes_is_stored_or_refused(row: dict[str, Any]) -> None:
    result = checked(row)
    if isinstance(result, Rejection):
        kept: list[Any] = [result.field, result.reason]
    else:
        kept = [result.external_id, result.fields, result.metadata, result.label]
        assert 0 < len(result.external_id) <= 500
        assert result.fields["text"].strip()
    written = json.dumps(kept, allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in written
    written.encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_white_space_and_case_never_change_the_hash(text: str) -> None:
    plain = hash_of({"text": text}, ("text",))
    assert hash_of({"text": f"  {text}\n"}, ("text",)) == plain
    assert hash_of({"text": text.casefold()}, ("text",)) == plain or not text.isascii()


@pytest.mark.data
@pytest.mark.parametrize("name", ["banking77", "dbpedia14", "sms_spam"])
def test_real_files_are_taken_whole(name: str) -> None:
    path = DATA / name / "data.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    task = TaskSpec("single_label", tuple(sorted({row["label"] for row in rows})))
    with path.open("rb") as file:
        results = [
            check_row(row, line, task, ("text",), RowLimits())
            for line, row in FileRows().read(file, name=path.name)
            if not isinstance(row, Rejection)
        ]
    assert [r.external_id for r in results if isinstance(r, ImportRow)] == [r["id"] for r in rows]
