"""Features: right for one text or many, in any script, and the same bits however they are cut."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from app.core.errors import ArtefactDamaged, WrongInput
from app.core.features import DEFAULT_RECIPE, Featuriser, fit_featuriser, resolve_recipe
from app.core.features.tokens import normalise, words_of
from app.core.types import FeatureMatrix

TEXTS = [
    "My card has not arrived yet",
    "The card payment was charged twice!",
    "I was charged twice for one payment",
    "How do I top up my account with a card?",
    "Why is my account top up pending",
    "payment pending payment pending payment",
    "",
    "   ",
    "Überweisung nicht angekommen, bitte prüfen",
    "我的卡还没有到。我的卡丢了",
    "कार्ड अभी तक नहीं आया है",
    "บัตรของฉันยังมาไม่ถึง",
    "???",
] * 3


def fitted(texts: Sequence[str], seed: int = 0, batch: int = 7) -> Featuriser:
    def batches() -> list[Sequence[str]]:
        return [texts[i : i + batch] for i in range(0, len(texts), batch)]

    return fit_featuriser(batches, DEFAULT_RECIPE, seed=seed)


def same(left: FeatureMatrix, right: FeatureMatrix) -> bool:
    def equal(a: sparse.csr_matrix, b: sparse.csr_matrix) -> bool:
        return a.shape == b.shape and (a != b).nnz == 0

    return (
        np.array_equal(left.dense, right.dense)
        and equal(left.words, right.words)
        and equal(left.counts, right.counts)
    )


def test_rows_have_length_one_or_are_empty() -> None:
    features = fitted(TEXTS).transform(TEXTS)
    assert len(features) == len(TEXTS)
    assert features.dense.dtype == np.float32
    for matrix in (features.dense, features.words.toarray()):
        lengths = np.linalg.norm(matrix, axis=1)
        assert np.all(np.isclose(lengths, 1, atol=1e-5) | (lengths == 0))
    assert np.linalg.norm(features.dense[6]) == 0


def test_counts_are_those_of_the_words() -> None:
    featuriser = fitted(TEXTS)
    features = featuriser.transform(["payment pending, payment PENDING payment unheard"])
    column = featuriser.vocabulary.columns
    assert features.counts[0, column["payment"]] == 3
    assert features.counts[0, column["pending"]] == 2
    assert features.counts.sum() == 5


def test_pairs_of_words_have_columns() -> None:
    featuriser = fitted(TEXTS)
    vocabulary = featuriser.vocabulary
    names = [vocabulary.name(column) for column in range(len(vocabulary))]
    row = featuriser.transform(["charged twice"]).words
    assert {names[column] for column in row.indices} == {"charged", "twice", "charged twice"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't PANIC a1 x", ["don", "panic", "a1"]),
        ("straße ÜBER ﬁn", ["straße", "über", "fin"]),
        ("我的卡", ["我", "的", "卡"]),
        ("हिन्दी है", ["हिन्दी", "है"]),
        ("カード12", ["カ", "ー", "ド", "12"]),
    ],
)
def test_words_in_many_scripts(text: str, words: list[str]) -> None:
    assert words_of([normalise(text)]) == [[normalise(word) for word in words]]


def test_similar_texts_are_near_and_misspelled_words_help() -> None:
    near, typo, far = (
        fitted(TEXTS)
        .transform(["card payment charged twice", "crad paymnt chargd twicee", "我的卡还没有到"])
        .dense
    )
    assert near @ typo > near @ far


def test_same_texts_and_seed_give_the_same_bytes_however_batched() -> None:
    one, two = fitted(TEXTS, batch=3).to_arrays(), fitted(TEXTS, batch=1000).to_arrays()
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].tobytes() == two[name].tobytes(), name


def test_arrays_survive_a_round_trip() -> None:
    featuriser = fitted(TEXTS)
    again = Featuriser.from_arrays(featuriser.to_arrays())
    assert same(featuriser.transform(TEXTS), again.transform(TEXTS))
    assert all(array.dtype != object for array in featuriser.to_arrays().values())


def test_arrays_of_something_else_are_refused() -> None:
    with pytest.raises(ArtefactDamaged):
        Featuriser.from_arrays({"recipe": np.zeros(3, np.uint8)})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(TEXTS) | st.text(max_size=30), min_size=1, max_size=30), st.data())
def test_any_slice_has_the_same_bits(texts: list[str], data: st.DataObject) -> None:
    featuriser = fitted(texts)
    whole = featuriser.transform(texts)
    begin = data.draw(st.integers(0, len(texts) - 1))
    end = data.draw(st.integers(begin, len(texts)))
    assert same(whole.take(np.arange(begin, end)), featuriser.transform(texts[begin:end]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=12), st.text(max_size=20))
def test_any_texts_can_be_fitted(texts: list[str], other: str) -> None:
    features = fitted(texts).transform([*texts, other])
    assert features.dense.shape == (len(texts) + 1, DEFAULT_RECIPE.dimensions)
    assert np.isfinite(features.dense).all()
    assert np.isfinite(features.words.data).all()


@pytest.mark.parametrize("texts", [["only one text"], ["the same text"] * 50, [""] * 30])
def test_tiny_and_uniform_pools(texts: list[str]) -> None:
    features = fitted(texts).transform(texts)
    assert np.array_equal(features.dense, np.repeat(features.dense[:1], len(texts), axis=0))


def test_recipe_by_name() -> None:
    assert resolve_recipe("default") is DEFAULT_RECIPE
    assert resolve_recipe("hybrid.v1") is DEFAULT_RECIPE
    with pytest.raises(WrongInput, match=r"hybrid\.v1"):
        resolve_recipe("hybrid.v0")
