"""Imports into a real Postgres: idempotent, row by row, never losing what is there."""

import pytest

from app.core.entities import NewSelection
from app.core.errors import WrongInput
from app.core.importing import Rejection
from app.core.types import Slice
from app.rounds import commands, importing
from tests.factories import all_rows, import_rows, items, make_project

pytestmark = pytest.mark.postgres


def test_repeating_an_import_changes_nothing(store):
    make_project(store)
    rows = [*items(50), {"id": "labelled", "text": "money back", "label": "refund"}]
    first = import_rows(store, rows)
    before = all_rows(store, "SELECT * FROM items ORDER BY id")
    again = import_rows(store, rows)
    assert (first.received, first.created, first.labelled) == (51, 51, 1)
    assert (again.created, again.updated, again.unchanged, again.labelled) == (0, 0, 51, 0)
    assert all_rows(store, "SELECT * FROM items ORDER BY id") == before
    assert len(all_rows(store, "SELECT * FROM labels")) == 1


def test_bad_rows_are_reported_and_the_rest_is_kept(store):
    make_project(store)
    rows = [
        {"id": "good", "text": "fine"},
        {"id": "empty", "text": "  "},
        {"id": "unknown", "text": "x", "label": "cheese"},
        {"id": "number", "text": 7},
        {"id": "split", "text": "y", "split": "elsewhere"},
        {"text": "no id is fine"},
    ]
    report = import_rows(store, rows)
    assert (report.received, report.created, report.rejected) == (6, 2, 4)
    assert [(one["line"], one["field"]) for one in report.rejections] == [
        (2, "text"), (3, "label"), (4, "text"), (5, "split"),
    ]  # fmt: skip


def test_strict_takes_nothing_when_one_row_is_bad(store):
    make_project(store)
    with pytest.raises(WrongInput, match="Nothing was imported: 1 of 3 rows") as caught:
        import_rows(store, [*items(2), {"id": "bad", "text": ""}], strict=True)
    assert caught.value.evidence["rejected"] == 1
    assert all_rows(store, "SELECT * FROM items") == []


def test_a_line_that_could_not_be_read_is_a_rejection_too(store):
    make_project(store)
    rows = [(1, {"id": "a", "text": "a"}), (2, Rejection(2, None, "not JSON"))]
    from app.core.importing import RowLimits

    report = importing.import_items(store, "shop", rows, limits=RowLimits(), actor="test")
    assert (report.received, report.created, report.rejected) == (2, 1, 1)


def test_an_empty_file_is_refused(store):
    make_project(store)
    with pytest.raises(WrongInput, match="no rows"):
        import_rows(store, [])


def test_exact_duplicates_are_marked_and_counted(store):
    make_project(store)
    report = import_rows(
        store,
        [
            {"id": "a", "text": "Where is my parcel?"},
            {"id": "b", "text": "where is  my PARCEL?"},
            {"id": "c", "text": "Something else"},
        ],
    )
    assert report.duplicates == 1
    assert _duplicates(store) == {"b": "a"}


def test_a_pool_copy_of_a_held_out_text_is_set_aside_whichever_comes_first(store):
    make_project(store)
    import_rows(store, [{"id": "pool", "text": "same"}, {"id": "other", "text": "other"}])
    import_rows(store, [{"id": "test", "text": "Same", "split": "test", "label": "refund"}])
    assert _duplicates(store) == {"pool": "test"}


def test_the_copy_with_a_label_stands_for_the_others(store):
    make_project(store)
    import_rows(
        store,
        [{"id": "a", "text": "same"}, {"id": "b", "text": "same", "label": "praise"}],
    )
    assert _duplicates(store) == {"a": "b"}


def test_the_same_id_twice_in_a_file_keeps_the_first(store):
    make_project(store)
    report = import_rows(
        store, [{"id": "a", "text": "one"}, {"id": "a", "text": "two"}, {"id": "a", "text": "one"}]
    )
    assert (report.created, report.rejected) == (1, 1)
    assert report.rejections[0]["line"] == 2
    assert all_rows(store, "SELECT fields FROM items") == [{"fields": {"text": "one"}}]


def test_an_item_may_be_corrected_until_annotators_have_seen_it(store):
    project = make_project(store)
    import_rows(store, [{"id": "a", "text": "typo"}, {"id": "b", "text": "seen"}])
    assert import_rows(store, [{"id": "a", "text": "mended"}]).updated == 1
    _select(store, project, "b")
    report = import_rows(
        store, [{"id": "b", "text": "changed"}, {"id": "b2", "text": "c", "split": "test"}]
    )
    assert report.rejected == 1
    assert "part of a round" in report.rejections[0]["reason"]
    assert all_rows(store, "SELECT fields->>'text' AS t FROM items WHERE external_id='b'") == [
        {"t": "seen"}
    ]


def test_a_corrected_label_supersedes_the_imported_one_but_never_an_annotators(store):
    make_project(store)
    import_rows(store, [{"id": "a", "text": "x", "label": "refund"}])
    import_rows(store, [{"id": "a", "text": "x", "label": "praise"}])
    assert all_rows(store, "SELECT value FROM current_labels") == [{"value": {"label": "praise"}}]
    assert len(all_rows(store, "SELECT * FROM labels")) == 2


def test_texts_of_every_script_come_back_as_they_went_in(store):
    project = make_project(store)
    texts = ["naïve – “quotes”", "タグ", "😀\u200d", "tab\tand\nnewline\\n", '{"a": "\\u0041"}']
    import_rows(store, [{"id": str(n), "text": t} for n, t in enumerate(texts)])
    stored = [one["text"] for _, batch in store.texts(project.id) for one in batch]
    assert stored == texts


def _duplicates(store):
    found = all_rows(
        store,
        "SELECT i.external_id AS copy, o.external_id AS original FROM items i "
        "JOIN items o ON o.id = i.duplicate_of",
    )
    return {row["copy"]: row["original"] for row in found}


def _select(store, project, external_id):
    round_ = commands.start_round(store, project.name, actor="test")
    item = all_rows(store, "SELECT id FROM items WHERE external_id = :e", e=external_id)[0]["id"]
    with store.transaction() as tx:
        tx.selections.add(
            round_, "random.v1", None,
            [NewSelection(item, 1, Slice.COLD_START, 0.0, "why not", None, None, None, None)],
        )  # fmt: skip
