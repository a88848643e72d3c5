"""The sample texts: reproducible, varied, and hard enough for a curve to be worth watching."""

from collections import Counter, defaultdict
from itertools import islice

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from app.demo.phrases import GUIDELINES, LABELS, SHARES
from app.demo.texts import Message, generate


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return list(generate(12_000, seed=1))


def test_the_same_seed_gives_the_same_texts_however_many(messages: list[Message]) -> None:
    assert list(generate(500, seed=1)) == messages[:500]
    assert list(islice(generate(10**9, seed=1), 50)) == messages[:50]
    assert list(generate(500, seed=2)) != messages[:500]


def test_nothing_of_the_grammar_is_left_in_the_texts(messages: list[Message]) -> None:
    for message in messages:
        assert message["text"].strip() == message["text"] != ""
        assert not set(message["text"]) & set("[]{}|_"), message
        assert "  " not in message["text"], message


def test_ids_are_unique_and_labels_and_splits_known(messages: list[Message]) -> None:
    assert len({one["id"] for one in messages}) == len(messages)
    assert {one["label"] for one in messages} == set(LABELS) == set(SHARES)
    assert {one["split"] for one in messages} == {"train", "test"}


def test_classes_are_skewed_and_a_fifth_is_held_out(messages: list[Message]) -> None:
    labels = Counter(one["label"] for one in messages)
    assert labels["delivery"] > 3 * labels["praise"] > 0
    held_out = sum(one["split"] == "test" for one in messages) / len(messages)
    assert held_out == pytest.approx(0.2, abs=0.02)


def test_texts_are_varied_with_some_exact_repeats(messages: list[Message]) -> None:
    distinct = len({one["text"] for one in messages}) / len(messages)
    assert 0.85 < distinct < 0.99


def test_one_text_has_one_label_and_the_test_does_not_leak(messages: list[Message]) -> None:
    labels = defaultdict(set)
    splits = defaultdict(set)
    for one in messages:
        labels[one["text"]].add(one["label"])
        splits[one["text"]].add(one["split"])
    assert all(len(found) == 1 for found in labels.values())
    assert sum(len(found) > 1 for found in splits.values()) <= len(messages) // 5000


def test_few_labels_are_not_enough_and_many_are(messages: list[Message]) -> None:
    pool = [one for one in messages if one["split"] == "train"]
    test = [one for one in messages if one["split"] == "test"]
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    x = words.fit_transform([one["text"] for one in pool])
    y = np.array([one["label"] for one in pool])
    gold = np.array([one["label"] for one in test])
    held_out = words.transform([one["text"] for one in test])

    def accuracy(count: int, seed: int = 0) -> float:
        rows = np.random.default_rng(seed).permutation(len(pool))[:count]
        return float((LinearSVC().fit(x[rows], y[rows]).predict(held_out) == gold).mean())

    few = float(np.mean([accuracy(30, seed) for seed in range(5)]))
    assert few < 0.55
    assert accuracy(200) > few + 0.15
    assert 0.90 < accuracy(len(pool)) < 0.98


def test_the_guidelines_explain_every_label() -> None:
    assert all(f"**{label}**" in GUIDELINES for label in LABELS)
