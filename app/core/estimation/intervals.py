"""An interval for a share, exact also for counts that are no whole numbers."""

from dataclasses import dataclass

from scipy.special import betaincinv

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it may lie."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low

    def covers(self, truth: float) -> bool:
        return self.low <= truth <= self.high


def clopper_pearson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """The exact interval, by quantiles of the Beta distribution, which takes parts of a trial."""
    alpha = 1 - level
    low = betaincinv(successes, n - successes + 1, alpha / 2) if successes > 0 else 0.0
    high = betaincinv(successes + 1, n - successes, 1 - alpha / 2) if successes < n else 1.0
    return Interval(successes / n, float(low), float(high))
