"""What is there at the end: Argilla, the database and the journal compared, one with each other.

Reads the tables and Argilla's lists itself; nothing of the code under test decides what is right.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.factories import all_rows
from tests.faults.crowd import Act, Journal

Row = Mapping[str, Any]


@dataclass
class Tally:
    """What is wrong, by kind; each entry says of which item or answer."""

    items: int = 0
    answers: int = 0
    labels: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong_round: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)

    def wrong(self) -> Mapping[str, list[str]]:
        return {name: found for name, found in asdict(self).items()
                if isinstance(found, list) and found}  # fmt: skip


class Checker:
    def __init__(self, store: Any, records: Sequence[Row], journal: Journal) -> None:
        self.tally = Tally()
        self._records = records
        self._journal = journal
        self._selected = all_rows(
            store,
            "SELECT 'item-' || s.item_id AS item, r.number, s.rank, p.state, p.record_id, s.slice, "
            "(SELECT c.name || '/' || c.number FROM classifier_versions c WHERE c.id = coalesce("
            "(SELECT f.classifier_id FROM refreshed_suggestions f WHERE f.selection_id = s.id "
            "ORDER BY f.id DESC LIMIT 1), s.classifier_id)) AS suggested_by "
            "FROM selections s JOIN rounds r ON r.id = s.round_id "
            "JOIN pushes p ON p.selection_id = s.id",
        )
        self._revisions = all_rows(
            store,
            "SELECT a.*, 'item-' || a.item_id AS item FROM annotations a ORDER BY a.id",
        )
        self._labels = all_rows(
            store,
            "SELECT 'item-' || l.item_id AS item, l.value, r.number FROM current_labels l "
            "JOIN rounds r ON r.id = l.round_id WHERE l.source = 'human'",
        )
        self._steps = all_rows(
            store,
            "SELECT r.number, e.kind, count(*) FROM events e JOIN rounds r ON r.id = e.round_id "
            "WHERE e.kind IN ('round.planned', 'round.training', 'round.scoring', "
            "'round.selecting', 'round.pushing', 'round.annotating', 'round.merging', "
            "'round.evaluating', 'round.closed') GROUP BY r.number, e.kind",
        )

    def check(self) -> Tally:
        self._batches()
        self._answers()
        self._current_labels()
        self._rounds()
        return self.tally

    def _batches(self) -> None:
        """Each selected item is in Argilla once, as what it was selected for."""
        there = Counter(one["external_id"] for one in self._records)
        self.tally.items = len(self._selected)
        self.tally.doubled += [name for name, count in there.items() if count > 1]
        chosen = Counter(one["item"] for one in self._selected)
        self.tally.doubled += [name for name, count in chosen.items() if count > 1]
        records = {one["external_id"]: one for one in self._records}
        for one in self._selected:
            record = records.pop(one["item"], None)
            if record is None or UUID(record["id"]) != one["record_id"]:
                self.tally.lost.append(f"{one['item']}: selected, not in Argilla")
            elif (record["metadata"]["round"], record["metadata"]["rank"]) != (
                one["number"],
                one["rank"],
            ):
                self.tally.wrong_round.append(one["item"])
            elif _suggested_by(record) != (
                None if one["slice"] == "audit" else one["suggested_by"]
            ):
                self.tally.wrong_round.append(f"{one['item']}: suggested by another classifier")
        self.tally.invented += [f"{name}: in Argilla, not selected" for name in records]

    def _answers(self) -> None:
        """What stands in Argilla is what we have last, and nobody else but people said it."""
        confirmed = {_of_act(act) for act in self._journal.acts}
        newest: dict[UUID, Row] = {}
        seen: Counter[tuple[Any, ...]] = Counter()
        for one in self._revisions:
            newest[one["response_id"]] = one
            seen[(*_of_row(one), one["sighting"])] += 1
            known = _of_row(one) in confirmed or one["item"] in self._journal.doubtful
            if one["status"] != "deleted" and not known:
                self.tally.invented.append(f"{one['item']}: nobody gave revision {one['id']}")
        self.tally.doubled += [str(key) for key, count in seen.items() if count > 1]
        for (item, _), act in self._journal.final().items():
            self.tally.answers += 1
            stored = newest.get(act.response_id)
            if stored is None or _of_row(stored) != _of_act(act):
                self.tally.lost.append(f"{item}: its answer is not stored as given")
            elif stored["values"] != act.values:
                self.tally.wrong_round.append(f"{item}: another value is stored")
        self._same_in_argilla()

    def _same_in_argilla(self) -> None:
        """The journal itself holds: Argilla has these answers and no others."""
        final = {act.response_id: act.item for act in self._journal.final().values()}
        there = [UUID(given["id"]) for one in self._records for given in one["responses"]]
        self.tally.lost += [final[one] for one in final.keys() - set(there)]
        self.tally.invented += [str(one) for one in set(there) - final.keys()]

    def _current_labels(self) -> None:
        """Every submitted answer is its item's label, in the round that had asked for it."""
        expected = {a.item: a for a in self._journal.final().values() if a.status == "submitted"}
        labels = {one["item"]: one for one in self._labels}
        self.tally.labels = len(labels)
        self.tally.lost += [f"{item}: no label" for item in expected.keys() - labels.keys()]
        self.tally.invented += [f"{item}: a label" for item in labels.keys() - expected.keys()]
        for item in expected.keys() & labels.keys():
            if labels[item]["number"] != expected[item].round:
                self.tally.wrong_round.append(item)
            if labels[item]["value"] != expected[item].values:
                self.tally.lost.append(f"{item}: another label")

    def _rounds(self) -> None:
        """Each round went through each state once."""
        self.tally.doubled += [
            f"round {one['number']}: {one['kind']}" for one in self._steps if one["count"] > 1
        ]


def _suggested_by(record: Row) -> Any:
    return next((one["agent"] for one in record["suggestions"] or ()), None)


def _of_act(act: Act) -> tuple[UUID, datetime, str]:
    return act.response_id, act.updated_at.replace(tzinfo=None), act.status


def _of_row(row: Row) -> tuple[UUID, datetime, str]:
    return row["response_id"], row["response_updated_at"].replace(tzinfo=None), row["status"]
