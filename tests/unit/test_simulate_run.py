"""Experiments from first to last: paired, bounded, repeatable, never peeking."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import NotFound, WrongInput
from app.simulate import Experiment, Oracle, Question, Result, run
from app.simulate.datasets import load
from tests.unit.simulate_factory import write_texts


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_texts(tmp_path / "texts.jsonl", split=True))


def experiment(data: str, **given: Any) -> Experiment:
    small = {"seed_size": 6, "query_size": 4, "iterations": 3, "repeats": 2, "classifier": "svc"}
    return Experiment.of({"data": data, **small, **given})


def test_all_contestants_of_a_repeat_begin_with_the_same_items(data: str) -> None:
    result = run(
        experiment(data, strategy="margin,random", classifier="svc,logistic", oracle="truth")
    )
    assert len(result.runs) == 8
    for repeat in range(2):
        seeds = {one.answers[:6] for one in result.runs if one.key.repeat == repeat}
        assert len(seeds) == 1
    first = {one.key.repeat: one.answers[:6] for one in result.runs}
    assert first[0] != first[1]


def test_a_curve_has_a_point_a_batch_and_spends_the_budget(data: str) -> None:
    for one in run(experiment(data, strategy="default,random")).runs:
        assert [point["labels"] for point in one.curve] == [6, 10, 14, 18]
        assert len({item for item, _ in one.answers}) == 18
        assert all(0 <= point["accuracy"] <= 1 for point in one.curve)


def test_only_the_pool_is_asked_about_and_the_truth_answers_truly(data: str) -> None:
    known = load(data)
    assert known.division is not None
    place = {item: row for row, item in enumerate(known.ids)}
    pool = set(known.division.pool.tolist())
    for one in run(experiment(data, strategy="default,entropy")).runs:
        for item, label in one.answers:
            assert place[item] in pool
            assert label == known.classes[known.y[place[item]]]
        assert one.label_agreement == 1.0


def test_the_same_experiment_gives_the_same_runs(data: str) -> None:
    wanted = experiment(data, strategy="default,random", oracle="simulated:noise=0.3")
    assert run(wanted).runs == run(wanted).runs
    other = experiment(data, strategy="default,random", random_state=1)
    assert run(other).runs[0].answers != run(wanted).runs[0].answers


def test_an_added_contestant_changes_no_other(data: str) -> None:
    alone = run(experiment(data, strategy="margin"))
    among = run(experiment(data, strategy="random,entropy,margin", repeats=3))
    by_key = {one.key: one for one in among.runs}
    assert all(by_key[one.key] == one for one in alone.runs)


def test_mistakes_of_an_oracle_are_learnt_and_counted(data: str) -> None:
    result = run(experiment(data, strategy="random", oracle="truth,simulated:noise=0.5"))
    shares = {one.key.oracle: one.label_agreement for one in result.runs}
    assert shares["truth"] == 1.0
    assert 0 < (shares["simulated:noise=0.5"] or 0) < 1
    sure = run(experiment(data, strategy="random", oracle="simulated:noise=1"))
    assert all(one.label_agreement == 0 for one in sure.runs)


def test_from_no_label_at_all(data: str) -> None:
    """The first batch is a cold start, as in a new project, and the curve begins after it."""
    result = run(experiment(data, seed_size=0, strategy="default,random"))
    for one in result.runs:
        assert [point["labels"] for point in one.curve] == [4, 8, 12]
    ours, chance = result.runs[:2]
    assert ours.answers[:4] == chance.answers[:4]


def test_a_pool_that_runs_out_ends_the_run_and_says_so(data: str) -> None:
    one = run(experiment(data, seed_size=50, query_size=8, strategy="random", repeats=1)).runs[0]
    assert [point["labels"] for point in one.curve] == [50, 58, 60]
    assert one.stopped == "round 3: the pool is empty"


@pytest.mark.parametrize("strategy", ["vote_entropy", "bald", "badge", "coreset", "typiclust"])
def test_strategies_with_other_needs_run_too(data: str, strategy: str) -> None:
    (one,) = run(experiment(data, strategy=strategy, repeats=1, classifier="logistic")).runs
    assert one.stopped is None
    assert one.strategy_version == f"{strategy}.v1"
    assert len(one.answers) == 18


def test_options_of_contestants_reach_them(data: str) -> None:
    result = run(experiment(data, strategy="margin", classifier="svc:self_training=off,svc"))
    plain = [point["fitted"] for point in result.runs[0].curve]
    assert result.runs[0].key.classifier == "svc:self_training=off"
    assert set(plain) == {"plain"}
    with pytest.raises(WrongInput, match="self_training"):
        run(experiment(data, strategy="margin", classifier="svc:self_training=perhaps"))


class Shy:
    """Labels cats as cats and cannot read anything else."""

    def __init__(self, classes: Sequence[str], seed: int) -> None:
        self._cats = list(classes).index("cats")

    def answer(self, questions: Sequence[Question]) -> Sequence[int | None]:
        return [self._cats if one.item_id.startswith("cats") else None for one in questions]


def test_an_oracle_of_ones_own_may_leave_items_without_a_label(data: str) -> None:
    result = run(
        experiment(data, strategy="default", oracle="shy", repeats=1), oracles={"shy": Shy}
    )
    (one,) = result.runs
    assert one.unanswered + len(one.answers) == 18
    assert one.unanswered > 0
    assert {label for _, label in one.answers} == {"cats"}


def test_an_oracle_nobody_brought_is_named(data: str) -> None:
    with pytest.raises(NotFound, match="no oracle 'gpt'"):
        run(experiment(data, oracle="gpt"))


class Wild:
    def answer(self, questions: Sequence[Question]) -> Sequence[int | None]:
        return [99 for _ in questions]


def test_an_answer_that_is_no_class_is_refused(data: str) -> None:
    def wild(classes: Sequence[str], seed: int) -> Oracle:
        return Wild()

    with pytest.raises(WrongInput, match="none of the classes"):
        run(experiment(data, oracle="wild"), oracles={"wild": wild})


def test_progress_counts_up_to_all_runs(data: str) -> None:
    seen: list[tuple[int, int]] = []
    found: Result = run(
        experiment(data, strategy="random"), progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert len(found.runs) == 2


def test_logistic_regression_learns_digits() -> None:
    wanted = Experiment(
        classifier=("logistic",), strategy=("random",), repeats=2, iterations=1, query_size=200
    )
    for one in run(wanted).runs:
        assert one.curve[-1]["accuracy"] > one.curve[0]["accuracy"]
        assert one.curve[-1]["accuracy"] > 0.85
