"""Where calls are booked: in the database, or in memory for experiments."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.core.errors import BudgetSpent
from app.core.llm.money import in_dollars
from app.ports.llm import Account, NewAnswer, NewCall
from app.ports.store import Store


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """In the database: each entry is a transaction of its own, kept before the next call."""

    store: Store

    def known(self, account: Account, fingerprints: Sequence[bytes]) -> Mapping[bytes, str]:
        with self.store.transaction() as tx:
            return tx.llm_calls.known(account.project_id, fingerprints)

    def reserve(self, account: Account, most: int, seconds: float) -> int:
        with self.store.transaction() as tx:
            return tx.llm_calls.reserve(account, most, seconds)

    def settle(
        self,
        reservation: int,
        account: Account,
        calls: Sequence[NewCall],
        answers: Sequence[NewAnswer],
    ) -> None:
        with self.store.transaction() as tx:
            tx.llm_calls.settle(reservation, account, calls)
            tx.llm_answers.add(account, answers)

    def record(self, account: Account, answers: Sequence[NewAnswer]) -> None:
        with self.store.transaction() as tx:
            tx.llm_answers.add(account, answers)


@dataclass
class MemoryLedger:
    """For experiments, which have no database. The same rules."""

    calls: list[NewCall] = field(default_factory=list)
    answers: list[NewAnswer] = field(default_factory=list)
    _reserved: dict[int, int] = field(default_factory=dict)
    _numbers: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def cost(self) -> int:
        return sum(call.cost for call in self.calls)

    def known(self, account: Account, fingerprints: Sequence[bytes]) -> Mapping[bytes, str]:
        del account
        wanted = set(fingerprints)
        found = [one for one in self.calls if one.fingerprint in wanted and one.answer is not None]
        return {one.fingerprint: one.answer for one in found if one.answer is not None}

    def reserve(self, account: Account, most: int, seconds: float) -> int:
        del seconds
        with self._lock:
            spent = self.cost + sum(self._reserved.values())
            if spent + most > account.max_cost:
                raise BudgetSpent(
                    f"${in_dollars(spent):.4f} of ${in_dollars(account.max_cost):.2f} are spent or "
                    f"set aside, and the next call could cost ${in_dollars(most):.4f}."
                )
            self._numbers += 1
            self._reserved[self._numbers] = most
            return self._numbers

    def settle(
        self,
        reservation: int,
        account: Account,
        calls: Sequence[NewCall],
        answers: Sequence[NewAnswer],
    ) -> None:
        del account
        with self._lock:
            del self._reserved[reservation]
            self.calls += calls
            self.answers += answers

    def record(self, account: Account, answers: Sequence[NewAnswer]) -> None:
        del account
        self.answers += answers
