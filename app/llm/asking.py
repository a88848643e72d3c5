"""Asking a provider many questions: what is known is not asked again, every answer is kept when it
arrives, and no call is made that the caps do not allow.

A process that dies has booked all that arrived; run again, it asks for the rest.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, islice
from time import monotonic

from app.core.errors import RoundsError
from app.core.llm.answers import Malformed
from app.core.llm.entities import CallOutcome, Completion, Request, Usage
from app.llm.prompting import repair_request
from app.ports.llm import Account, AnswerLost, Ledger, NewAnswer, NewCall, Provider


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the items that it is about."""

    request: Request
    item_ids: tuple[int, ...] = ()


Read = Callable[[Question, str], Sequence[NewAnswer]]
"""What an answer says of items; Malformed if it is not what was asked for."""
Progress = Callable[[int, int], None]
"""Called with (questions done, questions in all), from any thread but one at a time."""
Check = Callable[[], None]
"""Called before every call, from any thread; what it raises ends the asking."""


def unhurried() -> None: ...


@dataclass
class Told:
    """What came of asking, by position of the question."""

    answers: dict[int, str] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    """Unanswered ones, with the reason; these go to people."""
    asked: int = 0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """One provider, one account, one way to read answers."""

    ledger: Ledger
    provider: Provider
    account: Account
    read: Read
    progress: Progress = lambda done, total: None
    check: Check = unhurried

    def ask(self, questions: Sequence[Question]) -> Told:
        """Every question once. Raises BudgetSpent or Unavailable when it cannot go on; what has
        arrived until then is kept."""
        return _Asking(self, questions).run()

    def fingerprint(self, question: Question) -> bytes:
        return question.request.fingerprint(self.provider.name, self.provider.model)


class _Asking:
    """One run: some threads take calls from a common list until it is empty or one cannot go on."""

    def __init__(self, asker: Asker, questions: Sequence[Question]) -> None:
        self.asker = asker
        self.questions = questions
        self.told = Told()
        self._lock = threading.Lock()
        self._trouble: RoundsError | None = None
        self._stop = threading.Event()

    def run(self) -> Told:
        self._take_known()
        calls = self._calls()
        with ThreadPoolExecutor(self.asker.provider.concurrency) as threads:
            workers = [
                threads.submit(self._work, calls) for _ in range(self.asker.provider.concurrency)
            ]
            try:
                for worker in workers:
                    worker.result()
            except BaseException:
                self._stop.set()
                raise
        if self._trouble is not None:
            raise self._trouble
        self._take_known()  # questions that are equal to one just answered
        return self.told

    def _take_known(self) -> None:
        open_ = [n for n in range(len(self.questions)) if n not in self.told.answers]
        prints = {n: self.asker.fingerprint(self.questions[n]) for n in open_}
        known = self.asker.ledger.known(self.asker.account, list(prints.values()))
        kept: list[NewAnswer] = []
        for place, key in prints.items():
            if key in known:
                kept += self.asker.read(self.questions[place], known[key])
                self.told.answers[place] = known[key]
                self.told.problems.pop(place, None)
        self.asker.ledger.record(self.asker.account, kept)
        self.asker.progress(len(self.told.answers), len(self.questions))

    def _calls(self) -> Iterator[Sequence[int]]:
        """Positions of questions that go together: as many as the provider takes, and alike. Equal
        ones are asked once."""
        first: dict[bytes, int] = {}
        for place, question in enumerate(self.questions):
            if place not in self.told.answers:
                first.setdefault(self.asker.fingerprint(question), place)
        missing = sorted(first.values())
        alike = groupby(missing, key=lambda n: self._kind(self.questions[n].request))
        for _, group in alike:
            while part := list(islice(group, self.asker.provider.together)):
                yield part

    def _kind(self, request: Request) -> object:
        """What requests of one call must share; where each goes alone it does not matter."""
        return request.instructions if self.asker.provider.together > 1 else None

    def _work(self, calls: Iterator[Sequence[int]]) -> None:
        while not self._stop.is_set():
            self.asker.check()
            with self._lock:
                part = next(calls, None)
            if part is None:
                return
            try:
                self._call(part)
            except RoundsError as problem:
                self._stop.set()
                with self._lock:
                    self._trouble = self._trouble or problem

    def _call(self, part: Sequence[int]) -> None:
        """Ask; what cannot be read is asked for once more, with what was wrong."""
        unread = self._once(part, [self.questions[n].request for n in part])
        if unread:
            again = [
                repair_request(self.questions[n].request, problem) for n, problem in unread.items()
            ]
            for place, problem in self._once(list(unread), again).items():
                self._unanswered(place, problem)

    def _once(self, part: Sequence[int], requests: Sequence[Request]) -> dict[int, str]:
        """One call, booked. Gives what could not be read, with the problem."""
        asker, began = self.asker, monotonic()
        most = asker.provider.price.most(requests)
        reservation = asker.ledger.reserve(asker.account, most, asker.provider.seconds)
        try:
            said = asker.provider.complete(requests)
        except AnswerLost as problem:
            # it may have been charged: booked at the most it can have cost
            lost = [self._booked(n, r, CallOutcome.LOST, 0.0, problem.message)
                    for n, r in zip(part, requests, strict=True)]  # fmt: skip
            self._settle(reservation, lost, [])
            for place in part:
                self._unanswered(place, problem.message)
            return {}
        except RoundsError as problem:
            failed = [self._booked(n, r, CallOutcome.FAILED, 0.0, problem.message)
                      for n, r in zip(part, requests, strict=True)]  # fmt: skip
            self._settle(reservation, failed, [])
            raise
        return self._sorted(reservation, part, requests, said, (monotonic() - began) / len(part))

    def _sorted(
        self,
        reservation: int,
        part: Sequence[int],
        requests: Sequence[Request],
        said: Sequence[Completion],
        seconds: float,
    ) -> dict[int, str]:
        calls, answers, unread = [], list[NewAnswer](), dict[int, str]()
        for place, request, one in zip(part, requests, said, strict=True):
            outcome, problem = CallOutcome.ANSWERED, one.problem
            if one.text is None:
                outcome = CallOutcome.REFUSED
                self._unanswered(place, problem or "The model gave no answer.")
            else:
                try:
                    answers += self.asker.read(self.questions[place], one.text)
                    self._answered(place, one.text)
                except Malformed as wrong:
                    outcome, problem = CallOutcome.MALFORMED, problem or str(wrong)
                    unread[place] = problem
            calls.append(self._booked(place, request, outcome, seconds, problem, one))
        self._settle(reservation, calls, answers)
        return unread

    def _booked(
        self,
        place: int,
        request: Request,
        outcome: CallOutcome,
        seconds: float,
        problem: str | None,
        said: Completion | None = None,
    ) -> NewCall:
        """A repair is booked under the question that it repairs, which it answers."""
        price, usage = self.asker.provider.price, said.usage if said else Usage()
        cost = price.of(usage)
        if outcome is CallOutcome.LOST:
            cost = price.most([request])
        if outcome is CallOutcome.FAILED:
            cost = 0
        return NewCall(
            prompt=request.prompt,
            fingerprint=self.asker.fingerprint(self.questions[place]),
            item_ids=self.questions[place].item_ids,
            outcome=outcome,
            usage=usage,
            cost=cost,
            seconds=seconds,
            characters=len(request.instructions) + len(request.content),
            answer=said.text if said and outcome is CallOutcome.ANSWERED else None,
            problem=problem,
        )

    def _settle(
        self, reservation: int, calls: Sequence[NewCall], answers: Sequence[NewAnswer]
    ) -> None:
        self.asker.ledger.settle(reservation, self.asker.account, calls, answers)
        with self._lock:
            self.told.asked += len(calls)
            self.told.cost += sum(call.cost for call in calls)

    def _answered(self, place: int, text: str) -> None:
        with self._lock:
            self.told.answers[place] = text
            self._tell()

    def _unanswered(self, place: int, problem: str) -> None:
        with self._lock:
            self.told.problems[place] = problem
            self._tell()

    def _tell(self) -> None:
        done = len(self.told.answers) + len(self.told.problems)
        self.asker.progress(done, len(self.questions))
