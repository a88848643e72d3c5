"""Whole duels on sms_spam, as `bench.duels` fights them: the default strategy is called better and
picks at random are not. Bounded here; BENCHMARKS.md has the many runs."""

import pytest

from bench.classifiers import DATA
from bench.duels import fought

pytestmark = pytest.mark.skipif(
    not (DATA / "sms_spam").exists(), reason="the shared data sets are not beside the repository"
)
PROJECTS = 4


@pytest.fixture
def verdicts():
    def of(strategy: str) -> list[str | None]:
        found = [fought("sms_spam", number, strategy, audits=60) for number in range(PROJECTS)]
        return [one.get("verdict") for one in found]

    return of


def test_chosen_labels_are_called_better_where_they_are(verdicts) -> None:
    found = verdicts("default")
    assert found.count("active") >= PROJECTS - 1
    assert "random" not in found


def test_random_picks_are_not_called_better_than_random_picks(verdicts) -> None:
    """Chance may do it once in twenty projects; not in two of these four."""
    assert verdicts("random").count("active") <= 1
