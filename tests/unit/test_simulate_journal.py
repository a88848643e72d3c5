"""Results on disk: finished runs stay whatever happens, and nothing unlike is mixed."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import Conflict, RoundsError, WrongInput
from app.simulate import Experiment, journal, run
from app.simulate.running import free_results
from tests.unit.simulate_factory import made_run, write_texts


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_texts(tmp_path / "texts.jsonl", each=12, split=True))


def experiment(data: str, **given: Any) -> Experiment:
    small = {"seed_size": 6, "query_size": 4, "iterations": 1, "repeats": 2}
    return Experiment.of(
        {"data": data, "classifier": "logistic", "strategy": "margin,random", **small, **given}
    )


def interrupted(whole: Path, lines: int, torn: bytes = b"") -> Path:
    """What a kill leaves after so many runs, with a piece of the next line."""
    content = json.loads(whole.read_bytes())
    runs = content.pop("runs")
    results = whole.with_name("results-again.json")
    kept = [content, *runs[:lines]]
    partial = journal.partial_of(results)
    partial.write_bytes(
        b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in kept) + torn
    )
    return results


@pytest.mark.parametrize("torn", [b"", b'{"data": "texts.jsonl", "strat'])
def test_going_on_gives_the_same_bytes_and_repeats_nothing(
    tmp_path: Path, data: str, torn: bytes
) -> None:
    whole = tmp_path / "results-v1.json"
    run(experiment(data), results=whole)
    results = interrupted(whole, 3, torn)
    seen: list[int] = []
    run(experiment(data), results=results, progress=lambda done, total: seen.append(done))
    assert seen == [3, 4]
    assert results.read_bytes() == whole.read_bytes()
    assert not journal.partial_of(results).exists()


def test_finished_results_are_read_not_run(tmp_path: Path, data: str) -> None:
    results = tmp_path / "results-v1.json"
    first = run(experiment(data), results=results)
    before = results.read_bytes()
    seen: list[int] = []
    again = run(experiment(data), results=results, progress=lambda done, total: seen.append(done))
    assert seen == [4]
    assert list(again.runs) == list(first.runs)
    assert results.read_bytes() == before


def test_more_repeats_and_contestants_are_added_to_what_is_there(tmp_path: Path, data: str) -> None:
    results, fresh = tmp_path / "results-v1.json", tmp_path / "results-v2.json"
    run(experiment(data), results=results)
    seen: list[int] = []
    larger = experiment(data, strategy="margin,random,entropy", repeats=3)
    run(larger, results=results, progress=lambda done, total: seen.append(done))
    assert seen[0] == 4
    run(larger, results=fresh)
    assert results.read_bytes() == fresh.read_bytes()


def test_another_target_runs_nothing_again(tmp_path: Path, data: str) -> None:
    results = tmp_path / "results-v1.json"
    run(experiment(data), results=results)
    seen: list[int] = []
    run(
        experiment(data, target_acc=0.3),
        results=results,
        progress=lambda done, total: seen.append(done),
    )
    assert seen == [4]


def test_other_conditions_are_refused_by_name(tmp_path: Path, data: str) -> None:
    results = tmp_path / "results-v1.json"
    run(experiment(data), results=results)
    with pytest.raises(WrongInput, match="begun with query_size 4, not 5"):
        run(experiment(data, query_size=5), results=results)


def test_changed_data_is_refused(tmp_path: Path, data: str) -> None:
    results = tmp_path / "results-v1.json"
    run(experiment(data), results=results)
    changed = Path(data).read_text().replace("cats", "dogs", 1)
    other = tmp_path / "other.jsonl"
    other.write_text(changed)
    content = json.loads(results.read_bytes())
    content["data"] = {str(other): content["data"][data]}
    results.write_text(json.dumps(content))
    with pytest.raises(Conflict, match="has changed"):
        run(experiment(str(other)), results=results)


def test_another_version_of_rounds_is_refused(tmp_path: Path, data: str) -> None:
    results = tmp_path / "results-v1.json"
    run(experiment(data), results=results)
    content = json.loads(results.read_bytes())
    content["rounds_version"] = "0.0.1"
    results.write_text(json.dumps(content))
    with pytest.raises(Conflict, match=r"version 0\.0\.1"):
        run(experiment(data), results=results)


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    results = tmp_path / "results-v1.json"
    first, second = journal.Journal(results), journal.Journal(results)
    first.begin({"format": 1})
    with pytest.raises(Conflict, match="Another process"):
        second.begin({"format": 1})
    first.close()
    second.begin({"format": 1})
    second.close()


def test_what_is_no_results_file_is_said_to_be_none(tmp_path: Path) -> None:
    results = tmp_path / "results-v1.json"
    for content in (b"[1, 2]", b"no json", b'{"runs": [{"data": 1}]}'):
        results.write_bytes(content)
        with pytest.raises(RoundsError, match="holds no results"):
            journal.read(results)


def test_a_run_is_the_same_after_reading(tmp_path: Path) -> None:
    one = made_run("margin", 3, [0.25, 0.5], answers=[("ä", "b")], stopped="round 2: …")
    results = tmp_path / "results-v1.json"
    writer = journal.Journal(results)
    writer.begin({"format": 1})
    writer.add(one)
    writer.close()
    kept = journal.read(results)
    assert kept is not None
    (found,) = kept.runs.values()
    assert found.as_json() == one.as_json()
    assert found.key == one.key


def test_versions_count_up_and_are_never_overwritten(tmp_path: Path) -> None:
    assert free_results(tmp_path, None).name == "results-v1.json"
    (tmp_path / "results-v1.json").touch()
    (tmp_path / "results-v2.partial.jsonl").touch()
    assert free_results(tmp_path, None).name == "results-v3.json"
    assert free_results(tmp_path, "paper").name == "results-paper.json"
    with pytest.raises(Conflict, match="--resume"):
        free_results(tmp_path, "v1")


def test_either_file_names_the_results(tmp_path: Path) -> None:
    results = tmp_path / "results-a.b.json"
    assert journal.partial_of(results).name == "results-a.b.partial.jsonl"
    assert journal.results_of(journal.partial_of(results)) == results
    assert journal.results_of(results) == results
