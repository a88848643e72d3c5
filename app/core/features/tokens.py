"""Where words begin and end, in any script."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby

# Scripts written without spaces: here every character is a word, and pairs do the rest.
_SPACELESS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_ASCII_WORD = re.compile(r"\w\w+", re.ASCII)


def normalise(text: str) -> str:
    """One spelling for what looks the same: width, ligatures, letter case."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower()


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """The words of each normalised text, in order."""
    ascii_words, any_words = _ASCII_WORD.findall, _any_word().findall
    return [ascii_words(text) if text.isascii() else any_words(text) for text in texts]


@cache
def _any_word() -> re.Pattern[str]:
    """Words of two letters or more; vowel signs belong to their letter (`\\w` leaves them out)."""
    marks = _marks()
    letter = rf"[^\W{_SPACELESS}]"
    pattern = rf"[{_SPACELESS}][{marks}]*|(?:{letter}[{marks}]*){{2,}}|{letter}[{marks}]+"
    return re.compile(pattern)


def _marks() -> str:
    """All combining marks, as the inside of a character class."""
    codes = (c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == "M")
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]))
    return "".join(f"{chr(run[0][1])}-{chr(run[-1][1])}" for run in runs)
