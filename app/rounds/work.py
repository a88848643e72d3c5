"""What a step is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.entities import Project, Round, RoundState
from app.llm.desk import Desk, NoProviders
from app.ports.annotation_tool import AnnotationTool
from app.ports.encoder import Encoder
from app.ports.feature_store import FeatureStore
from app.ports.files import Files
from app.ports.llm import Providers
from app.ports.store import Store, Transaction
from app.ports.tracker import Tracker


@dataclass(frozen=True, slots=True)
class Parts:
    """The outside, wired once by bootstrap."""

    store: Store
    tool: AnnotationTool
    files: Files
    features: FeatureStore
    poll_seconds: float = 2.0
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    """What this server offers for sentence embeddings, by the value of the setting."""
    providers: Providers = field(default_factory=NoProviders)
    """The LLMs that this server knows."""
    trackers: Sequence[Tracker] = ()
    """Told of every closed round."""

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.providers)


@dataclass(frozen=True, slots=True)
class Work:
    """One step's share of the world: the round as claimed, its project, and a way to notice that
    the lease is gone or the round is to be cancelled. Call `check` between pieces of long work."""

    parts: Parts
    project: Project
    round: Round
    check: Callable[[], None]

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def tool(self) -> AnnotationTool:
        return self.parts.tool

    @property
    def desk(self) -> Desk:
        return self.parts.desk


def _nothing(tx: Transaction) -> None:
    del tx


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step. The runner saves it, the checkpoint and the move in one transaction."""

    next: RoundState | None
    """None: stay in this state and look again after `wait_seconds`."""
    save: Callable[[Transaction], None] = _nothing
    then: Callable[[Transaction], None] = _nothing
    """In the same transaction, after the move: what the round's new state leads to."""
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    wait_seconds: float = 0.0
