"""What calls cost, in millionths of a dollar, so that sums are exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from app.core.llm.entities import Request, Usage

MICRO = 1_000_000
WRAPPING = 100
"""Tokens that a provider's own envelope takes at most, for each message and for the schema."""
CHARACTERS_A_TOKEN = (2.5, 4.0, 5.5)
"""From texts that split badly to plain English, where no call has shown it yet."""
ANSWER_TOKENS = (20, 60, 200)


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens; for services that charge by the row, dollars a row."""

    input: float = 0.0
    output: float = 0.0
    row: float = 0.0

    def of(self, usage: Usage, rows: int = 1) -> int:
        # dollars a million tokens are millionths a token
        return ceil(
            usage.tokens_in * self.input + usage.tokens_out * self.output + rows * self.row * MICRO
        )

    def most(self, requests: Sequence[Request]) -> int:
        """More than these can cost: a token is at least a byte of what is sent."""
        return sum(self.of(Usage(_most_in(one), one.max_tokens)) for one in requests)


def _most_in(request: Request) -> int:
    sent = request.instructions + request.content + str(request.schema)
    return len(sent.encode()) + 3 * WRAPPING


@dataclass(frozen=True, slots=True)
class Ratio:
    """What calls so far have shown: tokens a character sent, and tokens an answer; low, middle and
    high."""

    tokens_a_character: tuple[float, float, float]
    answer_tokens: tuple[float, float, float]


UNKNOWN = Ratio(
    (1 / CHARACTERS_A_TOKEN[2], 1 / CHARACTERS_A_TOKEN[1], 1 / CHARACTERS_A_TOKEN[0]),
    (float(ANSWER_TOKENS[0]), float(ANSWER_TOKENS[1]), float(ANSWER_TOKENS[2])),
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would cost, in millionths of a dollar, and from how many calls that is known."""

    calls: int
    low: int
    middle: int
    high: int
    known_from: int


def estimate(
    requests: Sequence[Request], price: Price, ratio: Ratio = UNKNOWN, known_from: int = 0
) -> Estimate:
    """From the lengths of what would be sent."""
    characters = sum(len(one.instructions) + len(one.content) for one in requests)
    low, middle, high = (
        price.of(
            Usage(round(characters * a_character), round(len(requests) * an_answer)), len(requests)
        )
        for a_character, an_answer in zip(
            ratio.tokens_a_character, ratio.answer_tokens, strict=True
        )
    )
    return Estimate(len(requests), low, middle, high, known_from)


def in_dollars(micro: int) -> float:
    return micro / MICRO
