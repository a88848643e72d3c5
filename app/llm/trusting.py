"""How far an LLM can be trusted in a project: its answers beside people's."""

from dataclasses import dataclass, replace

import numpy as np

from app.core.entities import Project
from app.core.llm.entities import Purpose
from app.core.llm.trust import Recalibration, Trust, judge_trust, recalibrate, recalibrated
from app.core.tasks import task_type
from app.llm.desk import Desk, Sitting
from app.ports.llm import Both


@dataclass(frozen=True, slots=True)
class TrustReport:
    """As it says of itself, and as it would be after a recalibration fitted on other items."""

    provider: str
    model: str
    agreement: float | None
    """Share of its labels that are the person's, in the project's spelling."""
    strict_agreement: float | None
    """The same without forgiving how it spells."""
    plain: Trust
    recalibrated: Trust | None
    line: Recalibration | None


def trust(
    desk: Desk, name: str, *, provider: str | None = None, purpose: Purpose = Purpose.LABEL
) -> TrustReport:
    """From what is stored; asks nobody."""
    with desk.store.transaction() as tx:
        project = tx.projects.by_name(name)
    chosen = desk.provider(project, provider)
    sitting = Sitting(desk.store, chosen, project, purpose, None)
    found = _both(sitting)
    right, confidence = _right(project, found), _confidence(found)
    plain = judge_trust(confidence, right)
    strict = np.array([_strictly(project, one) for one in found], bool)
    enough = plain.calibration_error is not None
    return TrustReport(
        provider=chosen.name,
        model=chosen.model,
        agreement=plain.accuracy,
        strict_agreement=float(strict.mean()) if len(found) else None,
        plain=plain,
        recalibrated=(
            replace(judge_trust(recalibrated(confidence, right), right), recalibrated=True)
            if enough
            else None
        ),
        line=recalibrate(confidence, right) if enough else None,
    )


@dataclass(frozen=True, slots=True)
class Gauge:
    """Whether confidence may decide who labels, and how to read it when it does."""

    trust: Trust
    line: Recalibration | None

    def read(self, confidence: float) -> float:
        """What a stated confidence is worth."""
        return confidence if self.line is None else float(self.line.of(np.array([confidence]))[0])


def gauge(sitting: Sitting) -> Gauge:
    """As it stands, or corrected where the project wants that: then it is judged by corrections
    that were fitted on other items than those they are judged by."""
    found = _both(sitting)
    confidence, right = _confidence(found), _right(sitting.project, found)
    plain = judge_trust(confidence, right)
    if not sitting.project.settings.llm.recalibrate or plain.calibration_error is None:
        return Gauge(plain, None)
    crossed = judge_trust(recalibrated(confidence, right), right)
    return Gauge(replace(crossed, recalibrated=True), recalibrate(confidence, right))


def _both(sitting: Sitting) -> list[Both]:
    with sitting.store.transaction() as tx:
        return list(
            tx.llm_answers.both(
                sitting.project.id, sitting.purpose, sitting.provider.name, sitting.provider.model
            )
        )


def _confidence(found: list[Both]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([one.confidence for one in found], np.float64)


def _right(project: Project, found: list[Both]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kind = task_type(project.task)
    return np.array([kind.class_of(one.llm) == kind.class_of(one.person) for one in found], bool)


def _strictly(project: Project, one: Both) -> bool:
    return one.as_spelled == task_type(project.task).class_of(one.person)
