"""An LLM for trials and demos: it knows the truth, and errs as often as it is told to."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from time import sleep
from typing import Any, Literal

import numpy as np

from app.core.llm.entities import Completion, Purpose, Request, Usage
from app.core.llm.money import Price

Truth = Callable[[str], str | None]
"""From a text to its label; None for a text that it does not know."""
CONFIDENCES = ("calibrated", "overconfident", "none")
SPREAD = 12.0
"""How alike the calibrated confidences are: parameters of the Beta distribution sum to it."""
UNKNOWN_TEXT = "The simulation does not know this text."


@dataclass(frozen=True, slots=True)
class Simulated:
    """Answers depend on the seed and the text alone, in whatever order they are asked for."""

    name: str
    truth: Truth
    model: str = "simulated"
    price: Price = Price()  # noqa: RUF009 - frozen
    error: float = 0.05
    """Share of wrong labels."""
    skill: float = 0.8
    """As a selector: share of picks for which it knows the classes and takes the rarest so far."""
    confidence: Literal["calibrated", "overconfident", "none"] = "calibrated"
    spelling: float = 0.0
    """Share of labels that it writes in another way."""
    latency: float = 0.0
    seed: int = 0
    concurrency: int = 4
    together: int = 1

    @property
    def seconds(self) -> float:
        return self.latency + 60.0

    def complete(self, requests: Sequence[Request]) -> Sequence[Completion]:
        if self.latency:
            sleep(self.latency)
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Completion:
        answer = self._picks if request.purpose is Purpose.SELECT else self._label
        found = answer(request)
        used = len(request.instructions) + len(request.content)
        if found is None:
            return Completion(None, Usage(used // 4, 0), UNKNOWN_TEXT)
        said = json.dumps(found, ensure_ascii=False)
        return Completion(said, Usage(used // 4, len(said) // 4))

    def _label(self, request: Request) -> Mapping[str, Any] | None:
        (text,) = request.subjects.values()
        truth = self.truth(text)
        if truth is None:
            return None
        labels = list(request.schema["properties"]["label"]["enum"])
        sure = self._sureness(text)
        chance = self._chance(text, request.sample if request.temperature else 0)
        right = chance.random() < (sure if self.confidence == "calibrated" else 1 - self.error)
        others = [label for label in labels if label != truth]
        label = truth if right else others[int(chance.integers(len(others)))]
        said = {"label": self._spelled(text, label), "rationale": "Simulated."}
        return said if self.confidence == "none" else {**said, "confidence": round(sure, 3)}

    def _spelled(self, text: str, label: str) -> str:
        other = self._chance(text, "spelling").random() < self.spelling
        return label.upper() + "_" if other else label

    def _sureness(self, text: str) -> float:
        """What it would say of this text, the same in every sample."""
        chance = self._chance(text, "sureness")
        if self.confidence == "overconfident":
            return float(chance.uniform(0.93, 1.0))
        if not 0 < self.error < 1:
            return 1 - self.error
        return float(chance.beta(SPREAD * (1 - self.error), SPREAD * self.error))

    def _picks(self, request: Request) -> Mapping[str, Any]:
        size = int(request.schema["properties"]["ids"]["maxItems"])
        chance = self._chance(*request.subjects.values())
        left = [str(one) for one in chance.permutation(list(request.subjects))]
        seen: Counter[str] = Counter()
        chosen: list[str] = []
        while left and len(chosen) < size:
            pick = left[int(chance.integers(len(left)))]  # anywhere: what was passed over stays so
            if chance.random() < self.skill:
                pick = min(left, key=lambda one: seen[self._class(request, one)])
            left.remove(pick)
            seen[self._class(request, pick)] += 1
            chosen.append(pick)
        return {"reasoning": "Simulated: the rarest class so far.", "ids": chosen}

    def _class(self, request: Request, key: str) -> str:
        return self.truth(request.subjects[key]) or ""

    def _chance(self, *parts: str | int) -> np.random.Generator:
        content = json.dumps([self.seed, self.error, *parts]).encode()
        return np.random.default_rng(int.from_bytes(blake2b(content, digest_size=8).digest()))
