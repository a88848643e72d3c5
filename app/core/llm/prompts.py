"""Prompts: versioned texts with gaps, and fences that no text can step over."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count

GAP = re.compile(r"\{\{(\w+)\}\}")
DIVIDER = "\n=====\n"
LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}
"""JSON leaves these as they are, and some readers take them for the end of a line."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt under a name with a version. A changed wording is a new version beside the old."""

    name: str
    instructions: str
    content: str

    @classmethod
    def of(cls, name: str, source: str) -> "Prompt":
        """From a file: instructions, a line of five equals signs, content."""
        instructions, divider, content = source.partition(DIVIDER)
        if not divider:
            raise ValueError(f"Prompt {name} has no line '====='.")
        return cls(name, instructions.strip(), content.strip())

    def filled(self, gaps: Mapping[str, str]) -> tuple[str, str]:
        """Instructions and content. Each gap is filled once: what is put in is never read again."""
        wanted = set(GAP.findall(self.instructions + self.content))
        if wanted != set(gaps):
            raise ValueError(f"Prompt {self.name} has the gaps {sorted(wanted)}.")
        return _fill(self.instructions, gaps), _fill(self.content, gaps)


def _fill(text: str, gaps: Mapping[str, str]) -> str:
    return GAP.sub(lambda gap: gaps[gap[1]], text)


def mark_for(texts: Sequence[str]) -> str:
    """A word that occurs in none of the texts. It is made of all of them, so no author of one can
    know it beforehand; and it is the same in a repeat."""
    whole = json.dumps(list(texts)).encode()
    for attempt in count():
        digest = blake2b(whole, digest_size=6, salt=attempt.to_bytes(8, "big")).hexdigest()
        mark = f"text-{digest}"
        if not any(mark in text for text in texts):
            return mark
    raise AssertionError("unreachable")  # count() does not end


def listed(texts: Mapping[str, str]) -> str:
    """One line a text, as JSON: a text cannot begin a line of its own."""
    return "\n".join(
        one_line(json.dumps({"id": key, "text": text}, ensure_ascii=False))
        for key, text in texts.items()
    )


def one_line(text: str) -> str:
    for end, escaped in LINE_ENDS.items():
        text = text.replace(end, escaped)
    return text
