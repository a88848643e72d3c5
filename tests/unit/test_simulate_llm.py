"""Simulated LLMs in experiments: the same prompts and rules as real ones, with a known quality."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.adapters.llm.simulated import Simulated
from app.core.errors import BudgetSpent, WrongInput
from app.core.llm.answers import read_picks
from app.core.llm.entities import Purpose
from app.core.tasks import TaskSpec
from app.llm.asking import Asker, Question
from app.llm.ledgers import MemoryLedger
from app.llm.prompting import label_request, select_request
from app.ports.llm import Account
from app.simulate import Experiment, run, table
from app.simulate.llm import llm_oracle
from app.simulate.named import named
from app.simulate.preparing import load, prepare
from tests.unit.simulate_factory import write_texts

SMALL: dict[str, Any] = {
    "strategy": "margin",
    "classifier": "logistic",
    "seed_size": 6,
    "query_size": 5,
    "iterations": 2,
    "repeats": 2,
}


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(write_texts(tmp_path / "texts.jsonl", split=True))


def test_two_arms_with_agreement_and_cost(data: str) -> None:
    experiment = Experiment(
        data=data, oracle="truth,llm:error=0.3:price_in=1:price_out=5", seed_labels="truth", **SMALL
    )
    runs = run(experiment).runs
    truth, llm = table(experiment, runs)
    assert truth.label_agreement == 1.0
    assert truth.cost_a_run is None
    assert llm.label_agreement is not None
    assert 0.3 < llm.label_agreement < 1.0
    assert llm.cost_a_run is not None
    assert 0 < llm.cost_a_run < 0.1
    # the truth labels the seeds in both arms, so both begin at the same height
    first, second = runs[0], next(one for one in runs if one.key.oracle != "truth")
    assert first.answers[:6] == second.answers[:6]
    assert first.curve[0] == second.curve[0]
    assert run(experiment).runs == runs


def test_spelling_is_forgiven_and_told(data: str) -> None:
    experiment = Experiment(data=data, oracle="llm:error=0.1:spelling=0.4", **SMALL)
    plain = replace(experiment, oracle="llm:error=0.1")
    (own,), (other,) = (table(one, run(one).runs) for one in (experiment, plain))
    assert other.label_agreement == other.strict_agreement
    assert own.strict_agreement is not None
    assert own.label_agreement is not None
    assert own.strict_agreement < own.label_agreement - 0.1


def test_what_an_llm_labels_depends_on_the_text_and_not_on_the_order(data: str) -> None:
    from app.simulate.oracles import Question as Item

    loaded = load(data)
    items = [Item(loaded.ids[row], row, (loaded.texts or ())[row]) for row in range(12)]
    oracle = llm_oracle(named("llm:error=0.4"), loaded, seed=3)
    forwards = oracle.answer(items)
    again = llm_oracle(named("llm:error=0.4"), loaded, seed=3)
    assert again.answer(items[::-1])[::-1] == forwards
    assert oracle.cost > 0


def test_a_selector_of_known_skill_chooses_the_seeds(data: str) -> None:
    given = {**SMALL, "seed_size": 9}

    def spread(way: str) -> list[int]:
        arena = prepare(Experiment(data=data, cold_start=way, **given), data, 0)
        assert len(set(arena.seeds.tolist())) == 9
        assert set(arena.seeds.tolist()) <= set(arena.division.pool.tolist())
        labels = arena.data.y[arena.seeds].tolist()
        return sorted(labels.count(one) for one in set(labels))

    skilled = spread("llm:skill=1")
    assert max(skilled) - min(skilled) <= 1
    assert sum(spread("llm:skill=0")) == 9


def test_a_selector_knows_more_classes_the_more_skill_it_has() -> None:
    classes = [f"c{n}" for n in range(40)]
    texts = {f"t{n}": f"text {n}" for n in range(200)}
    task = TaskSpec("single_label", tuple(classes))

    def seen(skill: float) -> float:
        found = []
        for seed in range(20):
            simulated = Simulated(
                "it", lambda text: classes[int(text[5:]) % 40], skill=skill, seed=seed
            )
            (said,) = simulated.complete([select_request(texts, 32, task)])
            assert said.text is not None
            ids = read_picks(said.text, texts, 32).ids
            found.append(len({simulated.truth(texts[one]) for one in ids}))
        return sum(found) / len(found)

    assert seen(0.0) + 1 < seen(0.5) < seen(1.0) == 32


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"oracle": "llm:error=2"}, "oracle"),
        ({"oracle": "llm:skill=0.5"}, "oracle"),
        ({"cold_start": "llm:skill=2"}, "cold_start"),
        ({"cold_start": "random:skill=1"}, "cold_start"),
        ({"cold_start": "expert"}, "cold_start"),
        ({"seed_labels": "people"}, "seed_labels"),
    ],
)
def test_what_a_simulated_llm_cannot_be_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongInput) as wrong:
        Experiment(**given)
    assert wrong.value.field == field


def test_there_is_nothing_to_ask_about_pictures() -> None:
    with pytest.raises(WrongInput, match="no texts"):
        run(Experiment(data="digits", oracle="llm", **SMALL))


def test_the_cap_holds_in_memory_too(data: str) -> None:
    loaded = load(data)
    oracle, ledger = llm_oracle(named("llm"), loaded, seed=0), MemoryLedger()
    account = Account(0, None, Purpose.LABEL, "simulated", "simulated", 5_000, None)
    task = TaskSpec("single_label", loaded.classes)
    asked = [Question(label_request(text, task)) for text in (loaded.texts or ())[:20]]
    asker = Asker(ledger, oracle.provider, account, read=lambda question, text: ())
    with pytest.raises(BudgetSpent):
        asker.ask(asked)
    assert 0 < len(ledger.calls) < 20
    assert ledger.cost <= 5_000
