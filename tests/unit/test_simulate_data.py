"""Data for experiments: read as an import reads it, divided without a leak."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.adapters.embeddings.cached import CachedEncoder
from app.core.errors import NotFound, WrongInput
from app.simulate import Experiment, run
from app.simulate.datasets import LabelledData, load
from app.simulate.preparing import divide, prepare
from tests.unit.simulate_factory import TOPICS, write_texts


def loaded(path: Path, rows: list[dict[str, str]]) -> LabelledData:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return load(str(path))


def row(text: str, label: str, split: str = "train") -> dict[str, str]:
    return {"text": text, "label": label, "split": split}


def test_the_built_in_sets_are_whole() -> None:
    digits, sample = load("digits"), load("sample")
    assert (len(digits), len(digits.classes), digits.texts) == (1797, 10, None)
    assert sample.texts
    assert sample.division is not None
    assert len(sample.classes) == 6


def test_what_is_neither_file_nor_built_in_is_named() -> None:
    with pytest.raises(NotFound, match=r"no data 'digit'.*digits, sample"):
        load("digit")


def test_a_text_stands_once_and_held_out_before_pool(tmp_path: Path) -> None:
    rows = [row("Same  text", "a"), row("other", "b"), row("same text", "a", "test")]
    found = loaded(tmp_path / "d.jsonl", [*rows, row("other", "b"), row("third", "a")])
    assert found.texts == ("other", "same text", "third")
    assert found.division is not None
    assert found.division.test.tolist() == [1]
    assert "2 rows repeat the text of another" in found.notes[0]


def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path) -> None:
    found = loaded(tmp_path / "d.jsonl", [row("one", "a"), row("two", "b"), row("three", "")])
    assert len(found) == 2
    assert found.division is None
    assert "1 of 3 rows were left out" in found.notes[0]


def test_validation_items_are_never_in_the_pool(tmp_path: Path) -> None:
    rows = [row("one", "a"), row("two", "b"), row("three", "a", "dev")]
    only = loaded(tmp_path / "one.jsonl", rows).division
    both = loaded(tmp_path / "two.jsonl", [*rows, row("four", "b", "test")]).division
    assert only
    assert both
    assert (only.pool.tolist(), only.test.tolist()) == ([0, 1], [2])
    assert (both.pool.tolist(), both.test.tolist()) == ([0, 1], [3])


def test_one_class_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="2 to"):
        loaded(tmp_path / "d.jsonl", [row("one", "a"), row("two", "a")])


def test_data_of_another_kind_is_refused_with_a_reason(tmp_path: Path) -> None:
    several = tmp_path / "several.jsonl"
    several.write_text('{"text": "one", "labels": ["a", "b"]}\n{"text": "two", "labels": ["a"]}')
    with pytest.raises(WrongInput, match="need a column `label`"):
        load(str(several))
    unread = tmp_path / "unread.jsonl"
    unread.write_text('{"body": "one", "label": "a"}\n{"body": "two", "label": "b"}')
    with pytest.raises(WrongInput, match=r"Line 1, text: The row has no 'text'"):
        load(str(unread))
    table = tmp_path / "table.csv"
    table.write_text("body,label\none,a\n")
    with pytest.raises(WrongInput, match="no column 'text'"):
        load(str(table))


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    before = loaded(path, [row("one", "a"), row("two", "b")])
    after = loaded(path, [row("one", "a"), row("two", "b"), row("three", "b")])
    assert (len(before), len(after)) == (2, 3)
    assert before.fingerprint != after.fingerprint


def test_a_fraction_divides_every_class_alike_and_anew_by_the_seed() -> None:
    digits = load("digits")
    one, again, other = (divide(digits, 0.3, seed) for seed in (1, 1, 2))
    assert not set(one.pool) & set(one.test)
    assert len(one.pool) + len(one.test) == len(digits)
    shares = np.bincount(digits.y[one.test]) / np.bincount(digits.y)
    assert np.abs(shares - 0.3).max() < 0.01
    assert one.test.tolist() == again.test.tolist() != other.test.tolist()


def test_a_files_own_split_holds_unless_a_fraction_is_asked_for(tmp_path: Path) -> None:
    data = load(str(write_texts(tmp_path / "d.jsonl", split=True)))
    assert data.division is divide(data, None, 1)
    assert len(divide(data, 0.5, 1).test) == 45


def test_features_know_nothing_of_what_is_tested_on(tmp_path: Path) -> None:
    """Other test texts, the same features of the pool: bit for bit."""
    whole = write_texts(tmp_path / "a.jsonl", split=True)
    rows = [json.loads(line) for line in whole.read_text().splitlines()]
    for number, one in enumerate(rows):
        if one["split"] == "test":
            one["text"] = f"something else {number}"
    other = tmp_path / "b.jsonl"
    other.write_text("\n".join(map(json.dumps, rows)))
    arenas = [prepare(Experiment(data=(str(path),)), str(path), 0) for path in (whole, other)]
    ours, theirs = (one.features.take(one.division.pool) for one in arenas)
    assert (ours.dense == theirs.dense).all()
    assert (ours.words != theirs.words).nnz == 0


@pytest.mark.parametrize("cold_start", ["random", "balanced", "typiclust", "kmeans"])
def test_seed_items_are_distinct_items_of_the_pool(tmp_path: Path, cold_start: str) -> None:
    path = str(write_texts(tmp_path / "d.jsonl", split=True))
    experiment = Experiment(data=(path,), seed_size=9, cold_start=cold_start)
    arenas = [prepare(experiment, path, repeat) for repeat in (0, 0, 1)]
    seeds = [arena.seeds.tolist() for arena in arenas]
    assert len(set(seeds[0])) == 9
    assert set(seeds[0]) <= set(arenas[0].division.pool.tolist())
    assert seeds[0] == seeds[1]
    assert arenas[0].seed != arenas[2].seed
    if cold_start == "balanced":
        labels = arenas[0].data.y[arenas[0].seeds]
        assert np.bincount(labels).tolist() == [3] * len(TOPICS)


def test_more_seeds_than_the_pool_has_are_all_of_it(tmp_path: Path) -> None:
    path = str(write_texts(tmp_path / "d.jsonl", each=6))
    for cold_start in ("random", "balanced"):
        experiment = Experiment(data=(path,), seed_size=500, cold_start=cold_start)
        arena = prepare(experiment, path, 0)
        assert sorted(arena.seeds.tolist()) == arena.division.pool.tolist()


class Initials:
    """A model of little understanding: how often each of three letters occurs."""

    name, identity, sends_to = "initials.1", "initials", None

    def embed(self, texts: Sequence[str]) -> NDArray[np.floating]:
        return np.array([[1 + text.count(letter) for letter in "aeo"] for text in texts], float)


def test_embeddings_stand_beside_words_if_there_are_any(tmp_path: Path) -> None:
    path = str(write_texts(tmp_path / "d.jsonl", split=True))
    plain = prepare(Experiment(data=(path,)), path, 0).features
    wanted = Experiment(data=(path,), embeddings="local")
    offered = {"local": CachedEncoder(Initials(), tmp_path / "kept")}
    features = prepare(wanted, path, 0, offered).features
    assert features.dense.shape == (len(plain), plain.dense.shape[1] + 3)
    assert np.allclose(np.linalg.norm(features.dense, axis=1), 1, atol=1e-6)
    assert (features.words != plain.words).nnz == 0
    with pytest.raises(WrongInput, match="ROUNDS_EMBEDDINGS_LOCAL_MODEL"):
        run(wanted)
