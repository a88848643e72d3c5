"""What a file suggests for a project, and the file that keeps it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.cli.project_file import read_project_file, written
from app.core.errors import WrongInput
from app.core.proposing import guess_columns, propose, renamed, survey, with_split
from app.rounds.guided import Plan

Rows = Sequence[dict[str, Any]]


def tickets(count: int, **more: Any) -> Rows:
    kinds = ("refund", "delivery", "praise")
    return [
        {"Ticket ID": n, "Body": f"some longer words about {n}", "Category": kinds[n % 3], **more}
        for n in range(count)
    ]


def test_columns_go_by_their_names_and_what_stands_in_them() -> None:
    rows = [{"id": "a", "text": "one", "label": "x", "split": "train", "note": "n"}]
    assert guess_columns(rows, {}) == {
        "id": "id", "split": "split", "label": "label", "text": "text",
    }  # fmt: skip
    assert guess_columns(tickets(40), {}) == {"label": "Category", "text": "Body"}


def test_without_a_known_name_the_longest_text_is_the_text() -> None:
    rows = [{"a": "short", "b": "a much longer piece of writing", "c": 7}]
    assert guess_columns(rows, {}) == {"text": "b"}


def test_a_column_of_ever_other_values_is_no_label_and_a_set_of_chess_no_split() -> None:
    rows = [{"text": f"t {n}", "topic": f"topic {n}", "set": "chess"} for n in range(50)]
    assert guess_columns(rows, {}) == {"text": "text"}


def test_what_somebody_said_stands() -> None:
    said = {"text": "Category", "label": ""}
    assert guess_columns(tickets(40), said) == {"text": "Category"}
    with pytest.raises(WrongInput, match="no column 'Words'"):
        guess_columns(tickets(3), {"text": "Words"})


@pytest.mark.parametrize(("rows", "words"), [([], "no rows"), ([{"n": 3}], "--text COLUMN")])
def test_a_file_without_a_text_is_told(rows: Rows, words: str) -> None:
    with pytest.raises(WrongInput, match=words):
        guess_columns(rows, {})


def test_a_survey_counts_copies_labels_and_splits() -> None:
    rows = [*tickets(6), *tickets(2), {"Body": "held", "Category": "refund", "part": "test"}]
    seen = survey(rows, {"text": "Body", "label": "Category", "split": "part"})
    assert (seen.rows, seen.distinct, seen.labelled, seen.held_out) == (9, 7, 9, 1)
    assert seen.labels == ("delivery", "praise", "refund")


def test_sizes_follow_the_file() -> None:
    columns = {"text": "Body", "label": "Category"}
    proposal = propose(survey(tickets(600), columns), columns)
    assert (proposal.batch_size, proposal.max_labels) == (1, 601)  # all are labelled already
    assert proposal.held_out_share == pytest.approx(1 / 3, abs=1e-3)
    assert any("33% are held out" in one for one in proposal.reasons)
    bare = {"text": "Body"}
    plain = propose(survey(tickets(600), bare), bare, ["a", "b"])
    assert (plain.batch_size, plain.max_labels, plain.held_out_share) == (20, 300, 0.0)
    many = propose(survey(tickets(2000), bare), bare, [f"l{n}" for n in range(40)])
    assert (many.batch_size, many.max_labels) == (80, 1200)
    few = propose(survey(tickets(9), bare), bare, ["a", "b"])
    assert (few.batch_size, few.max_labels) == (9, 9)
    said = propose(survey(tickets(600), bare), bare, (), {"batch_size": 7, "overlap": 2})
    assert any("Batches of 7, 2 answers" in one for one in said.reasons)


def test_too_many_labels_are_no_labels() -> None:
    rows = [{"text": f"t{n}", "code": str(n)} for n in range(600)]
    with pytest.raises(WrongInput, match="600 distinct values"):
        survey(rows, {"text": "text", "label": "code"})


def test_held_out_rows_are_drawn_by_their_text_alone() -> None:
    columns = {"text": "Body", "label": "Category"}
    rows = [with_split(renamed(row, columns), 0.3, seed=1) for row in tickets(2000)]
    held = [row for row in rows if row["split"] == "test"]
    assert 500 < len(held) < 700
    again = with_split({**held[0], "split": None, "label": "praise"}, 0.3, seed=1)
    assert again["split"] == "test"
    unlabelled = {"text": "x", "label": None}
    assert with_split(unlabelled, 0.9, seed=1) == unlabelled
    told = {"text": "x", "label": "a", "split": "validation"}
    assert with_split(told, 0.9, seed=1) == told


def test_a_project_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    data = tmp_path / "data" / "tickets.csv"
    data.parent.mkdir()
    data.write_text("x")
    plan = Plan(
        name="tickets",
        labels=('say "hi"', "a\\b", "né\x7f🎉", "tab\tline\n"),
        columns={"text": "Body [of it]", "label": "Category"},
        held_out_share=0.25,
        settings={"batch_size": 9, "fields": ["text"], "stopping": {"max_labels": 40}},
        guidelines="Read.\nThen choose.",
        reasons=("12 rows.",),
    )
    target = tmp_path / "tickets.toml"
    target.write_text(written(plan, data, target, start=False), encoding="utf-8")
    assert "12 rows" in target.read_text()
    read = read_project_file(target)
    assert (read.data, read.start) == (data, False)
    assert read.plan == Plan(**{**{f: getattr(plan, f) for f in Plan.__slots__}, "reasons": ()})


GOOD = 'name = "a"\ndata = "a.csv"\n[task]\nlabels = ["x", "y"]\n[columns]\ntext = "t"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "not TOML"),
        (GOOD + '[colours]\nred = "x"\n', "unknown entry 'colours'"),
        (GOOD.replace("[task]", "[tasks]"), "unknown entry 'tasks'"),
        (GOOD.replace('name = "a"', ""), "needs 'name'"),
        (GOOD.replace("a.csv", "b.csv"), "no file"),
        (GOOD + '[held_out]\nshare = 2\n', "share must be"),
        (GOOD + 'author = "x"\n', "Unknown column 'author'"),
    ],
)  # fmt: skip
def test_a_wrong_project_file_says_where(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.csv").write_text("t\nx\n")
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(WrongInput, match=words):
        read_project_file(tmp_path / "a.toml")
