"""Consensus: against the published example of Dawid and Skene, and where the three ways differ."""

from importlib.util import find_spec

import numpy as np
import pytest

from app.core.consensus import METHODS, dawid_skene, majority, reliability, weighted
from app.core.votes import Votes

# Dawid & Skene (1979), Applied Statistics 28, table 1: five anaesthetists judge 45 patients as fit
# for surgery in four degrees; the first of them three times. A word a patient: his three, the rest.
ANAESTHETISTS = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 "
    "2223343 1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 "
    "2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111 "
    "2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 "
    "2222222"
).split()


def anaesthetists() -> Votes:
    observers = "aaabcde"
    votes = [
        (patient, observers[place], said)
        for patient, word in enumerate(ANAESTHETISTS)
        for place, said in enumerate(word)
    ]
    return Votes.of(votes, "1234")


def test_dawid_skene_comes_to_the_published_shares_of_the_classes() -> None:
    # table 3 of the paper: .40, .42, .11, .07
    shares = dawid_skene(anaesthetists(), imagined=0.0).mean(axis=0)
    assert shares.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]


def test_dawid_skene_is_surer_of_patients_than_a_count_of_votes() -> None:
    votes = anaesthetists()
    exact = dawid_skene(votes, imagined=0.0)
    held = dawid_skene(votes)
    assert np.mean(exact.max(axis=1) > 0.98) > 0.85
    assert np.mean(exact.argmax(axis=1) == held.argmax(axis=1)) > 0.9
    assert held.max() < 1.0


def crowd(seed: int = 0, items: int = 300) -> tuple[Votes, np.ndarray]:
    """Two good annotators, and four bad ones who often take b for a and a for b."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=items)
    votes = []
    for item in range(items):
        for person in range(6):
            said = truth[item]
            if person < 2 and rng.random() < 0.05:
                said = rng.integers(3)
            if person >= 2 and rng.random() < 0.48:
                said = (1, 0, 2)[said]
            votes.append((item, f"p{person}", "abc"[said]))
    return Votes.of(votes, "abc"), truth


def right(beliefs: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(beliefs.argmax(axis=1) == truth))


def test_those_who_agree_with_others_count_more() -> None:
    votes, truth = crowd()
    assert right(majority(votes), truth) <= 0.85
    assert right(weighted(votes), truth) > 0.9
    assert right(dawid_skene(votes), truth) > 0.9
    reliable = reliability(votes, weighted(votes))
    assert reliable[:2].min() > reliable[2:].max()


@pytest.mark.parametrize("method", METHODS)
def test_beliefs_are_probabilities_and_do_not_depend_on_the_order(method: str) -> None:
    votes, _ = crowd(items=50)
    beliefs = METHODS[method](votes)
    assert beliefs.sum(axis=1) == pytest.approx(1.0)
    given = [
        (votes.item_names[i], votes.annotator_names[a], votes.classes[label])
        for i, a, label in zip(votes.items, votes.annotators, votes.labels, strict=True)
    ]
    turned = Votes.of(given[::-1], votes.classes)
    again = METHODS[method](turned)[::-1]
    assert again == pytest.approx(beliefs, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_few_and_odd_answers_make_no_trouble(method: str) -> None:
    consensus = METHODS[method]
    assert consensus(Votes.of([], "ab")).shape == (0, 2)
    assert consensus(Votes.of([(1, "p", "a")], "ab"))[0].argmax() == 0
    tie = consensus(Votes.of([(1, "p", "a"), (1, "q", "b")], "ab"))
    assert tie[0] == pytest.approx([0.5, 0.5])
    gone = Votes.of([(1, "p", "a"), (1, "q", "no longer")], "ab")
    assert len(gone) == 1


def test_one_answer_of_somebody_unknown_is_not_certain_to_dawid_skene() -> None:
    beliefs = dawid_skene(Votes.of([(1, "p", "a"), (2, "p", "b")], "ab"))
    assert beliefs[0, 0] < 1.0


@pytest.mark.skipif(find_spec("crowdkit") is None, reason="crowd-kit is not installed")
def test_dawid_skene_agrees_with_crowd_kit() -> None:
    import pandas
    from crowdkit.aggregation import DawidSkene

    votes, _ = crowd()
    table = pandas.DataFrame(
        {"task": votes.items, "worker": votes.annotators, "label": votes.labels}
    )
    theirs = DawidSkene(n_iter=100).fit_predict(table).sort_index().to_numpy()
    assert np.mean(dawid_skene(votes, imagined=0.0).argmax(axis=1) == theirs) > 0.99
