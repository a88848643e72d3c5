"""What is measured of closed rounds beside the loop: the work to be done, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.core.entities import Checked, LabelledItem, MeasuringTask, Round


class Measurements(Protocol):
    # --- the work ---

    def plan(self, round_: Round) -> None:
        """This round is to be measured; nothing happens if that is known."""

    def claim(self, worker: str, lease_seconds: float) -> MeasuringTask | None:
        """The one that has waited longest, a project's rounds in their order."""

    def extend(self, task: MeasuringTask, lease_seconds: float) -> bool:
        """False: the lease is lost."""

    def guard(self, task: MeasuringTask) -> None:
        """Lock it for this transaction; LeaseLost if the fence has moved on."""

    def give_back(self, task: MeasuringTask) -> None: ...
    def retry(self, task: MeasuringTask, seconds: float, error: Mapping[str, Any]) -> None: ...
    def give_up(self, task: MeasuringTask, error: Mapping[str, Any]) -> None: ...
    def done(self, task: MeasuringTask) -> None: ...
    def waiting(self, project_id: int) -> int:
        """Rounds that are still to be measured."""

    # --- what came of it ---

    def add(
        self,
        round_: Round,
        kind: str,
        *,
        classifier_id: int | None,
        made_from: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> None:
        """Append, unless this round has that kind already."""

    def of_round(self, round_id: int) -> Mapping[str, Mapping[str, Any]]:
        """Figures by kind."""

    def newest(self, project_id: int, *kinds: str) -> Mapping[str, Mapping[str, Any]]:
        """Of these kinds, of the last round that has it; each with its `round`."""

    def history(self, project_id: int, kind: str) -> Sequence[Mapping[str, Any]]:
        """Of one kind, by round; each with its `round` and `closed_at`."""

    def everywhere(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """Of one kind, over all projects; each with `project` and `round`."""

    def current(self, project_id: int, items: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """By external id: `id`, `fields`, and `value` of the current label."""

    # --- what it is made from ---

    def chosen(self, classifier_id: int) -> Sequence[LabelledItem]:
        """The items whose labels a classifier learned from, by item id, with the slice and the
        round that each label came in."""

    def checked(self, round_id: int) -> Sequence[Checked]:
        """The round's random checks with a label: what was predicted, and what people say."""
