"""Sample texts without end: short, varied, partly ambiguous, the same for the same seed.

A learning curve is worth watching only where few labels are not enough and many are not perfect.
So classes share words and differ in size, some messages are about two things, people mistype, and
some write the same again.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from random import Random
from typing import TypedDict

from app.demo.phrases import (
    ASIDES,
    CLOSINGS,
    CONTEXTS,
    JOINTS,
    LABELS,
    OPENINGS,
    SAID_ONCE,
    SHARES,
    SLOTS,
    TOPICS,
)

TEST_SHARE = 0.20
AMBIGUOUS = 0.08
FILED_UNDER_THE_FIRST = 0.5
REPEATED = 0.02
NEARLY_REPEATED = 0.02
MISTYPED = 0.10
CARELESS = 0.25
"""Share of people who write without capitals and full stops."""
REMEMBERED = 200
"""Repeats are of one of so many earlier messages."""

CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
ARTICLE = re.compile(r"\ba(?= [aeio])")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Message(TypedDict):
    """One row as an import file would have it."""

    id: str
    text: str
    label: str
    split: str


def generate(n: int, seed: int) -> Iterator[Message]:
    """`n` messages. More of them begin with the same ones."""
    rng = Random(seed)  # noqa: S311 - sample data, no secret
    earlier: deque[Message] = deque(maxlen=REMEMBERED)
    for number in range(n):
        message = _repeat(rng, earlier, number) or _new(rng, number)
        earlier.append(message)
        yield message


def _new(rng: Random, number: int) -> Message:
    label = rng.choices(LABELS, [SHARES[one] for one in LABELS])[0]
    if rng.random() < AMBIGUOUS:
        text, label = _two_things(rng, label)
    else:
        text = _message(rng, _concern(rng, label))
    text = _as_typed(rng, text)
    return Message(id=_id(number), text=text, label=label, split=_split_of(text))


def _repeat(rng: Random, earlier: Sequence[Message], number: int) -> Message | None:
    """Somebody sends the same again, or nearly so. It stays in the split of the first."""
    drawn = rng.random()
    if not earlier or drawn > REPEATED + NEARLY_REPEATED:
        return None
    old = rng.choice(earlier)
    text = old["text"]
    if drawn > REPEATED:
        text = f"{text} {_expand(rng, rng.choice(CLOSINGS), {})}"
    return Message(id=_id(number), text=text, label=old["label"], split=old["split"])


def _split_of(text: str) -> str:
    """By the words alone: short messages come up again by chance, and must not leak."""
    words = "".join(letter for letter in text.casefold() if letter.isalnum())
    return "test" if _draw(words) < TEST_SHARE else "train"


def _draw(text: str) -> float:
    """A number from 0 to 1 that hangs on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest()) / 2**48


def _id(number: int) -> str:
    return f"msg-{number:06d}"


def _message(rng: Random, concern: str) -> str:
    parts = [
        _sometimes(rng, 0.3, OPENINGS),
        _sometimes(rng, 0.55, CONTEXTS),
        _sometimes(rng, 0.08, ASIDES),
        concern,
        _sometimes(rng, 0.12, ASIDES),
        _sometimes(rng, 0.35, CLOSINGS),
    ]
    said: dict[str, str] = {}
    return " ".join(_expand(rng, part, said) for part in parts if part)


def _concern(rng: Random, label: str) -> str:
    """One thing said, or two things of the same topic. Later topics of a class are rarer."""
    topics = TOPICS[label]
    topic = rng.choices(topics, [1 / (1 + place / 2) for place in range(len(topics))])[0]
    return " ".join(rng.sample(topic, k=2 if rng.random() < 0.3 else 1))


def _two_things(rng: Random, label: str) -> tuple[str, str]:
    """A message about two things. Which of them it is filed under hangs on the words alone, so that
    the same text never has two labels."""
    other = rng.choice([one for one in LABELS if one != label])
    concerns = [_concern(rng, label), rng.choice(JOINTS), _concern(rng, other)]
    text = _message(rng, " ".join(part for part in concerns if part))
    return text, label if _draw(text) < FILED_UNDER_THE_FIRST else other


def _sometimes(rng: Random, share: float, phrases: Sequence[str]) -> str:
    return rng.choice(phrases) if rng.random() < share else ""


def _expand(rng: Random, phrase: str, said: dict[str, str]) -> str:
    """The phrase with its first letter large and nothing left open."""
    text = ARTICLE.sub("an", _fill(rng, phrase, said))
    return text[:1].upper() + text[1:]


def _fill(rng: Random, phrase: str, said: dict[str, str]) -> str:
    """Settle choices and slots from the inside out until none is left."""

    def slot(found: re.Match[str]) -> str:
        name = found[1]
        if name not in SAID_ONCE:
            return rng.choice(SLOTS[name])
        if name not in said:
            said[name] = _fill(rng, rng.choice(SLOTS[name]), said)
        return said[name]

    filled = CHOICE.sub(lambda found: rng.choice(found[1].split("|")), SLOT.sub(slot, phrase))
    return filled if filled == phrase else _fill(rng, filled, said)


def _as_typed(rng: Random, text: str) -> str:
    if rng.random() < CARELESS:
        text = text.lower().replace(". ", " ").rstrip(".")
    if rng.random() < MISTYPED:
        for _ in range(rng.randint(1, 3)):
            text = _slip(rng, text)
    return text


def _slip(rng: Random, text: str) -> str:
    """One slip of the finger inside a word."""
    places = [i for i in range(1, len(text) - 1) if text[i - 1 : i + 2].isalpha()]
    if not places:
        return text
    at = rng.choice(places)
    slips = (
        text[at + 1] + text[at],  # swapped
        text[at + 1],  # left out
        text[at] * 2 + text[at + 1],  # doubled
        rng.choice(LETTERS) + text[at + 1],  # the key beside it
    )
    return text[:at] + rng.choice(slips) + text[at + 2 :]
