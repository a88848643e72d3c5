"""A simulated LLM in experiments, by the same way as a real one: prompts, answers that are read,
prices, ids that are checked. Only the service itself is played."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.adapters.llm.simulated import CONFIDENCES, Simulated
from app.core.errors import WrongInput
from app.core.llm.answers import read_label, read_picks
from app.core.llm.entities import Purpose, Request
from app.core.llm.money import MICRO, Price, in_dollars
from app.core.tasks import TaskSpec
from app.core.types import Rows
from app.llm.asking import Asker
from app.llm.asking import Question as Asked
from app.llm.ledgers import MemoryLedger
from app.llm.prompting import label_request
from app.llm.selecting import choose
from app.ports.llm import Account, NewAnswer
from app.simulate.datasets import LabelledData
from app.simulate.named import Named
from app.simulate.oracles import Question

ERROR = 0.03
SKILL = 0.8
PRICES = {"price_in": 1.0, "price_out": 5.0}
"""Dollars a million tokens, if nothing else is said."""
NO_BOUND = 1_000_000 * MICRO
TASK = "single_label"


@dataclass(frozen=True)
class LlmOracle:
    """Labels by asking. What it cannot answer stays without a label."""

    provider: Simulated
    task: TaskSpec
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    misspelled: set[int] = field(default_factory=set)
    """Rows whose label it wrote in another way than the data."""

    @property
    def cost(self) -> float:
        return round(in_dollars(self.ledger.cost), 6)

    def answer(self, questions: Sequence[Question]) -> Sequence[int | None]:
        asked = [Asked(label_request(one.text or "", self.task)) for one in questions]
        told = _asker(self.provider, self.ledger, Purpose.LABEL, self._read).ask(asked)
        return [
            self._label(one.row, told.answers[n]) if n in told.answers else None
            for n, one in enumerate(questions)
        ]

    def _label(self, row: int, text: str) -> int:
        found = read_label(text, self.task.labels)
        if found.as_spelled != found.label:
            self.misspelled.add(row)
        return self.task.labels.index(found.label)

    def _read(self, question: Asked, text: str) -> Sequence[NewAnswer]:
        read_label(text, self.task.labels)
        return ()


def llm_oracle(spec: Named, data: LabelledData, seed: int) -> LlmOracle:
    """The oracle `llm` with its options, over this data."""
    return LlmOracle(_provider(spec, data, seed), _task(data))


def llm_seeds(
    spec: Named,
    data: LabelledData,
    pool: Rows,
    size: int,
    seed: int,
    clusters: Callable[[Rows, int], Rows],
) -> Rows:
    """Rows that a simulated LLM chooses, prompt by prompt; what it leaves empty by clusters."""
    provider, ledger = _provider(spec, data, seed), MemoryLedger()
    texts = data.texts or ()

    def ask(part: Sequence[int], request: Request) -> str | None:
        del part
        asker = _asker(provider, ledger, Purpose.SELECT, _read_picks)
        return asker.ask([Asked(request)]).answers.get(0)

    chosen = choose(
        ask,
        {int(row): texts[row] for row in pool},
        size,
        _task(data),
        seed=seed,
        fill=lambda rest, count: clusters(np.sort(np.array(rest, np.int64)), count).tolist(),
    )
    return np.array(chosen.items, np.int64)


def _read_picks(question: Asked, text: str) -> Sequence[NewAnswer]:
    read_picks(text, question.request.subjects, len(question.request.subjects))
    return ()


def _provider(spec: Named, data: LabelledData, seed: int) -> Simulated:
    if data.texts is None:
        raise WrongInput(f"{data.name} has no texts: there is nothing to ask an LLM.", field="data")
    truth = {
        text: data.classes[label] for text, label in zip(data.texts, data.y.tolist(), strict=True)
    }
    given = {**PRICES, **spec.options}
    return Simulated(
        name="simulated",
        truth=truth.get,
        price=Price(float(given["price_in"]), float(given["price_out"])),
        error=float(given.get("error", ERROR)),
        skill=float(given.get("skill", SKILL)),
        confidence=given.get("confidence", "calibrated"),
        spelling=float(given.get("spelling", 0.0)),
        seed=seed,
        concurrency=1,
    )


def _task(data: LabelledData) -> TaskSpec:
    return TaskSpec(TASK, data.classes)


def _asker(provider: Simulated, ledger: MemoryLedger, purpose: Purpose, read: Any) -> Asker:
    account = Account(0, None, purpose, provider.name, provider.model, NO_BOUND, None)
    return Asker(ledger, provider, account, read)


def check_llm_oracle(spec: Named) -> None:
    """WrongInput for options that the oracle `llm` does not have."""
    if spec.name == "llm":
        _check(spec, {"error": 1.0, "spelling": 1.0, "price_in": 1e4, "price_out": 1e4}, "oracle")


def check_selector(spec: Named) -> None:
    """The same for the cold start `llm`; the other ways have no options."""
    _check(spec, {"skill": 1.0} if spec.name == "llm" else {}, "cold_start")


def _check(spec: Named, highest: Mapping[str, float], what: str) -> None:
    confidence = spec.options.get("confidence", CONFIDENCES[0])
    others = {"confidence"} if what == "oracle" and confidence in CONFIDENCES else set()
    for name, value in spec.options.items():
        if name in others:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in highest or not number or not 0 <= value <= highest[name]:
            known = ", ".join(f"{one} (0 to {top:g})" for one, top in highest.items()) or "none"
            raise WrongInput(f"{spec.written!r}: options are {known}.", field=what)
