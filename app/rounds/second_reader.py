"""What an LLM as judge says of disputed items, for whoever decides them: a suggestion under its own
name, with its reason. It decides nothing, and where it cannot be asked nobody waits for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from app.core.errors import BudgetSpent, NotAllowed, Unavailable
from app.core.llm.entities import Purpose
from app.core.tasks import task_type
from app.llm.desk import Sitting
from app.llm.labelling import answers_to, questions, reader
from app.llm.prompting import JUDGE
from app.ports.annotation_tool import MetadataProperty, Suggestion
from app.ports.llm import Said
from app.rounds.work import Work

log = structlog.get_logger()
JUDGED = MetadataProperty("judge", "terms", "What an LLM says, and why")
LONGEST = 500


@dataclass(frozen=True, slots=True)
class View:
    """Its view of one item."""

    label: str
    confidence: float
    rationale: str | None
    agent: str

    @property
    def suggestion(self) -> Suggestion:
        return Suggestion(self.label, self.confidence, self.agent)

    @property
    def told(self) -> str:
        """For the record's metadata."""
        return f"{self.agent}: {self.label}. {self.rationale or ''}".strip()[:LONGEST]


def views(work: Work, item_ids: Sequence[int]) -> Mapping[int, View]:
    """By item; none where the project does not want it."""
    settings = work.round.settings.llm
    if not settings.judge_disputes or not item_ids:
        return {}
    provider = work.desk.provider(work.project, settings.provider)
    sitting = Sitting(work.store, provider, work.project, Purpose.JUDGE, work.round.id)
    kind = task_type(work.project.task)
    return {
        item: View(kind.class_of(one.value), one.confidence, one.rationale, sitting.source)
        for item, one in _asked(work, sitting, item_ids).items()
    }


def _asked(work: Work, sitting: Sitting, item_ids: Sequence[int]) -> Mapping[int, Said]:
    asked = questions(sitting, item_ids, prompt=JUDGE)
    try:
        work.project.settings.llm.insist(Purpose.JUDGE)
        sitting.asker(reader(sitting), check=work.check).ask(asked)
    except (NotAllowed, BudgetSpent, Unavailable) as problem:
        log.warning("judge.left_out", project=work.project.name, reason=problem.message)
        with work.store.transaction() as tx:
            tx.events.add("llm.judge_left_out", "system", project_id=work.project.id,
                          round_id=work.round.id, reason=problem.message)  # fmt: skip
    return answers_to(sitting, asked)
