"""Strategies that follow what an LLM said. They ask nobody: its advice comes with the request."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from app.core import health, reasons
from app.core.strategies.pool import Pool
from app.core.strategies.registry import Proposal, Strategy
from app.core.types import Advice, HealthFinding, Rows

NO_ADVICE = "no LLM was asked."
SHORT_LIST = 3
"""Times the batch size: how many items an LLM is asked to rank anew."""


def chosen_by_llm(rest: Strategy) -> Callable[[Pool, int], Proposal]:
    """A strategy: the rows that it chose, in its order; places that it left empty by `rest`."""

    def propose(pool: Pool, size: int) -> Proposal:
        advice, others = _advice(pool), rest.propose(pool, size)
        picks = _positions(pool, advice.picks)
        free = len(pool.free(picks))

        def order() -> Iterator[Rows]:
            yield picks
            yield from others.order

        return Proposal(
            order=order(),
            score=lambda chosen: np.isin(chosen, picks).astype(np.float32),
            reasons=lambda chosen: _told(chosen, picks, reasons.BY_LLM, others.reasons(chosen)),
            hold_back_outliers=False,
            findings=_fallback("llm.v1", rest, free, size, advice, "chose"),
        )

    return propose


def doubted_by_llm(rest: Strategy) -> Callable[[Pool, int], Proposal]:
    """A strategy: of a short list those that it doubts most; then as `rest` would."""

    def propose(pool: Pool, size: int) -> Proposal:
        advice, others = _advice(pool), rest.propose(pool, size)
        listed = _positions(pool, np.array(list(advice.doubts), np.int64))
        there = len(pool.free(listed))
        findings = _fallback("doubt.v1", rest, there, size, advice, "doubted")
        findings = (*findings, *others.findings)
        if not there:
            return replace(others, findings=findings)
        doubts = np.zeros(len(pool), np.float32)
        doubts[listed] = [advice.doubts[int(row)] for row in pool.rows(listed)]
        ranked = listed[np.argsort(-doubts[listed], kind="stable")]

        def order() -> Iterator[Rows]:
            yield ranked
            yield from others.order

        def explain(chosen: Rows) -> list[str]:
            known = reasons.doubted(doubts, chosen)
            return _told(chosen, listed, known, others.reasons(chosen))

        return replace(
            others,
            order=order(),
            score=lambda chosen: doubts[chosen],
            reasons=explain,
            rank_by_score=False,
            sound=None,
            draw_probability=None,
            findings=findings,
        )

    return propose


def _advice(pool: Pool) -> Advice:
    return pool.request.advice or Advice(problem=NO_ADVICE)


def _positions(pool: Pool, rows: Rows) -> Rows:
    """Among the candidates, each once, in the order given."""
    found = pool.positions_of(rows)
    return found[np.sort(np.unique(found, return_index=True)[1])]


def _fallback(
    name: str, rest: Strategy, there: int, size: int, advice: Advice, did: str
) -> Sequence[HealthFinding]:
    """Said wherever the LLM's own items do not fill the batch."""
    if there >= size:
        return ()
    why = advice.problem or f"the LLM {did} {there} items that can be picked, of {size} wanted."
    return (health.fallback(name, rest.name, why),)


def _told(chosen: Rows, known: Rows, said: str | Sequence[str], others: Sequence[str]) -> list[str]:
    own = [said] * len(chosen) if isinstance(said, str) else said
    advised = np.isin(chosen, known)
    return [
        "; ".join(filter(None, (mine, other))) if is_known else other
        for is_known, mine, other in zip(advised, own, others, strict=True)
    ]
