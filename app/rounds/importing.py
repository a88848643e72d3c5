"""Taking in rows: checked one by one as the database takes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.entities import ImportReport, Project
from app.core.errors import WrongInput
from app.core.importing import ImportRow, Rejection, RowLimits, check_row
from app.ports.rows import Row
from app.ports.store import Store

SHOWN_REJECTIONS = 1000


@dataclass
class _Checking:
    """Checks rows one by one as the database takes them, and remembers what was refused."""

    project: Project
    rows: Iterable[Row]
    limits: RowLimits
    strict: bool
    received: int = 0
    rejected: int = 0
    rejections: list[dict[str, Any]] = field(default_factory=list)

    def good(self) -> Iterator[tuple[int, ImportRow]]:
        settings = self.project.settings
        for line, row in self.rows:
            self.received += 1
            if isinstance(row, Rejection):
                self._reject(row)
                continue
            checked = check_row(row, line, self.project.task, settings.fields, self.limits)
            if isinstance(checked, Rejection):
                self._reject(checked)
            else:
                yield line, checked

    def _reject(self, one: Rejection) -> None:
        self.rejected += 1
        if len(self.rejections) < SHOWN_REJECTIONS:
            self.rejections.append({"line": one.line, "field": one.field, "reason": one.reason})


def import_items(
    store: Store,
    name: str,
    rows: Iterable[Row],
    *,
    limits: RowLimits,
    actor: str,
    source: str | None = None,
    strict: bool = False,
) -> ImportReport:
    """Take in rows. Bad ones are reported one by one and the rest is kept; with `strict` one bad
    row means that nothing is taken. Repeating the same import changes nothing."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.projects.lock(project.id, "import")
        project = tx.projects.get(project.id)  # its labels may have been edited meanwhile
        checking = _Checking(project, rows, limits, strict)
        report = _merged(checking, tx.items.add(project, checking.good()))
        if strict and report.rejected:
            raise _refused(report)
        if not report.received:
            raise WrongInput("The file has no rows.", field="body")
        tx.items.record_import(project.id, source, report, actor)
        tx.events.add(
            "items.imported",
            actor,
            project_id=project.id,
            received=report.received,
            created=report.created,
            updated=report.updated,
            duplicates=report.duplicates,
            rejected=report.rejected,
        )
    return report


def _merged(checking: _Checking, stored: ImportReport) -> ImportReport:
    rejections = sorted(
        [*checking.rejections, *stored.rejections], key=lambda one: int(one["line"])
    )
    return replace(
        stored,
        received=checking.received,
        rejected=checking.rejected + stored.rejected,
        rejections=tuple(rejections[:SHOWN_REJECTIONS]),
    )


def _refused(report: ImportReport) -> WrongInput:
    first = report.rejections[0]
    return WrongInput(
        f"Nothing was imported: {report.rejected} of {report.received} rows are bad, the first in "
        f"line {first['line']} ({first['field'] or 'whole line'}): {first['reason'].rstrip('.')}.",
        field="body",
        rejected=report.rejected,
        rejections=list(report.rejections),
    )
