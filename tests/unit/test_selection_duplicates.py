"""Near-duplicates against the comparison of all pairs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from app.core.duplicates import Likeness, first_of_each
from tests.unit.selection_factory import vectors, word_sets

USUAL = Likeness()


def _plainly(dense: np.ndarray, words: np.ndarray, start: int) -> list[bool]:
    """Every pair compared, one after another."""
    kept = list(range(start))
    answer = []
    for item in range(start, len(dense)):
        fresh = not any(_alike(dense, words, item, other) for other in kept)
        answer.append(fresh)
        if fresh:
            kept.append(item)
    return answer


def _alike(dense: np.ndarray, words: np.ndarray, one: int, other: int) -> bool:
    cosine = float(dense[one] @ dense[other])
    both = (words[one] & words[other]).sum()
    either = (words[one] | words[other]).sum()
    if not either:
        return cosine >= USUAL.direction_alone or bool((dense[one] == dense[other]).all())
    shared = both / either
    return shared >= USUAL.words or (
        cosine >= USUAL.direction and shared >= USUAL.words_with_direction
    )


@given(seed=st.integers(0, 10_000), start=st.sampled_from([0, 3, 10]))
@settings(max_examples=60, deadline=None)
def test_the_same_are_kept_as_by_comparing_all_pairs(seed: int, start: int) -> None:
    chance = np.random.default_rng(seed)
    kinds = chance.integers(0, 8, 30)
    words = (chance.random((8, 40)) < 0.4)[kinds]
    words ^= chance.random(words.shape) < chance.choice([0, 0.02, 0.1])
    dense = vectors(8, 6, seed)[kinds] + chance.choice([0, 0.03]) * vectors(30, 6, seed + 1)
    dense = (dense / np.linalg.norm(dense, axis=1, keepdims=True)).astype(np.float32)
    kept = first_of_each(dense, sparse.csr_matrix(words.astype(np.float32)), start, USUAL)
    assert kept.tolist() == _plainly(dense, words, start)


def test_texts_that_share_nine_words_in_ten_are_near_duplicates() -> None:
    words = word_sets(
        "please send my card to the new address in town today",
        "please send my card to the new address in town tomorrow",
        "please send my card to the new address in town today",
        "where is my card",
    )
    nine_in_eleven = first_of_each(vectors(4, 6), words, 0, USUAL)
    assert nine_in_eleven.tolist() == [True, True, False, True]
    looser = first_of_each(vectors(4, 6), words, 0, Likeness(words=0.8))
    assert looser.tolist() == [True, False, False, True]


def test_one_direction_is_not_enough_for_texts_with_other_words() -> None:
    words = word_sets("thanks a lot", "thanks so much", "bye")
    kept = first_of_each(np.repeat(vectors(1, 6), 3, axis=0), words, 0, USUAL)
    assert kept.all()


def test_empty_texts_are_copies_of_each_other() -> None:
    no_words = sparse.csr_matrix((3, 5), dtype=np.float32)
    kept = first_of_each(np.zeros((3, 4), np.float32), no_words, 1, USUAL)
    assert kept.tolist() == [False, False]


def test_copies_can_be_kept_by_option() -> None:
    assert Likeness.from_options({"near_duplicates": False}) is None
    assert Likeness.from_options({"near_duplicates": {"words": 0.7}}) == Likeness(words=0.7)
    assert Likeness.from_options({}) == USUAL
