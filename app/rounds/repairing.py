"""What somebody deleted in Argilla: found by a look that changes nothing, and brought back."""

from collections.abc import Iterator, Sequence

from app.core.entities import AnnotationDataset, Project, RoundState
from app.core.errors import NotFound, Unavailable
from app.rounds import collecting, pushing
from app.rounds.work import Parts, Work


def examine(parts: Parts, project: Project) -> Sequence[str]:
    """What is wrong with a project's rounds in Argilla, in sentences. Reads only."""
    with parts.store.transaction() as tx:
        opened = tx.rounds.open(project.id)
        datasets = tx.annotations.datasets(project.id)
        known = [
            one["message"] for one in tx.views.problems(project.id) if one["kind"] == "records"
        ]
    found = [finding for one in datasets for finding in _of_dataset(parts, project, one)]
    if opened is not None and opened.state == RoundState.FAILED:
        found.append(f"round {opened.number} has failed: {(opened.error or {}).get('title')}")
    return [*known, *found]


def _of_dataset(parts: Parts, project: Project, dataset: AnnotationDataset) -> Iterator[str]:
    with parts.store.transaction() as tx:
        out = tx.annotations.records_out(dataset)
    try:
        look = parts.tool.look(dataset.dataset_id)
    except NotFound:
        if out or dataset.schema_version == project.schema_version:
            yield f"its dataset {dataset.dataset_id} was deleted in Argilla"
    except Unavailable as problem:
        yield problem.message
    else:
        if missing := len(out - look.records.keys()):
            yield f"records of the open round that were deleted in Argilla: {missing}"


def repair(work: Work) -> None:
    """Make the dataset anew if it is gone, and push again what of the batch is missing and lacks
    answers. Answers given before count as ever."""
    dataset = pushing.dataset_of(work)
    with work.store.transaction() as tx:
        tx.annotations.look_at_all(work.project.id)
    collecting.collect_project(work.parts, work.project)
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        again = tx.selections.plan_lost_again(work.round)
    pushing.push_batch(work, dataset)
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        tx.rounds.repaired(work.round.id)
        tx.events.add(
            "round.repaired",
            "argilla",
            project_id=work.project.id,
            round_id=work.round.id,
            pushed_again=again,
        )
