"""A batch goes to Argilla, and what nobody answered comes back."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeVar
from uuid import UUID

from app.core.entities import AnnotationDataset, ClassifierVersion, Project, Round, SelectedItem
from app.core.errors import NotFound
from app.core.tasks import task_type
from app.ports.annotation_tool import (
    ANY_RESPONSE,
    DatasetSpec,
    MetadataProperty,
    RecordOut,
    Statuses,
    Suggestion,
)
from app.rounds.identity import dataset_name, external_id, item_of
from app.rounds.work import Work

BATCH = 100  # few enough that a retry is cheap and a cancel soon noticed
LONGEST_METADATA = 500
Answer = TypeVar("Answer")

# None is hidden from annotators: Argilla 2.8 then writes to the records whenever an annotator reads
# them, and two annotators reading at once deadlock its database and get an error page
PROPERTIES = (
    MetadataProperty("round", "integer", "Round"),
    MetadataProperty("rank", "integer", "Rank in the round (1 = most valuable)"),
    MetadataProperty("uncertainty", "float", "Uncertainty (0 sure, 1 torn)"),
    MetadataProperty("score", "float", "Selection score"),
    MetadataProperty("reason", "terms", "Why it was chosen"),
    MetadataProperty("strategy", "terms", "Strategy"),
    MetadataProperty("classifier_version", "terms", "Classifier"),
    MetadataProperty("prediction", "terms", "Predicted label"),
    MetadataProperty("slice", "terms", "Slice"),
    MetadataProperty("item", "terms", "Item"),
)

DEFAULT_GUIDELINES = (
    "Read the text and choose the label that fits best. Where a label is suggested, it comes from "
    "the current classifier: check it, do not trust it. Discard a text that fits no label."
)


def dataset_of(work: Work) -> AnnotationDataset:
    """The project's dataset in Argilla; made if there is none."""
    reference = work.tool.ensure_dataset(dataset_spec(work.project))
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        return tx.annotations.add_dataset(
            work.project, reference.dataset_id, reference.annotate_url
        )


def dataset_spec(project: Project) -> DatasetSpec:
    return DatasetSpec(
        name=dataset_name(project),
        fields=project.settings.fields,
        question=task_type(project.task).question(project.task),
        guidelines=project.task.guidelines or DEFAULT_GUIDELINES,
        min_submitted=project.settings.most_needed,
        properties=PROPERTIES,
    )


def push_batch(work: Work, dataset: AnnotationDataset) -> tuple[int, int]:
    """Push what is not in Argilla yet; after each part, note what it took and what it refused."""
    with work.store.transaction() as tx:
        waiting = tx.selections.of_round(work.round.id, "planned")
        chosen_by = work.round.classifier_id
        classifier = tx.classifiers.get(chosen_by) if chosen_by else None
    if work.round.asked and len(waiting) == len(work.round.asked):
        # answered already, or Argilla would not show them; their answers are stored
        names = [external_id(one.item.id) for one in waiting]
        work.tool.withdraw(dataset.dataset_id, names, kept_by=())
    rest = iter(waiting)
    while part := list(islice(rest, BATCH)):
        work.check()
        _push_part(work, dataset, part, classifier)
    with work.store.transaction() as tx:
        counts = tx.rounds.counts(work.round.id)
    return counts.pushed, counts.quarantined


def _push_part(
    work: Work,
    dataset: AnnotationDataset,
    part: Sequence[SelectedItem],
    classifier: ClassifierVersion | None,
) -> None:
    records = [record_of(one, work.round, classifier) for one in part]
    report = work.tool.push(dataset.dataset_id, records)
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        tx.selections.mark_pushed(work.round.id, _by_item(report.accepted))
        tx.selections.quarantine(work.round.id, _by_item(report.refused))
        for refused, problem in report.refused.items():
            tx.events.add(
                "item.quarantined",
                "argilla",
                project_id=work.project.id,
                round_id=work.round.id,
                item=item_of(refused),
                problem=problem,
            )


def _by_item(named: Mapping[str, Answer]) -> dict[int, Answer]:
    return {item: value for name, value in named.items() if (item := item_of(name)) is not None}


def record_of(
    selected: SelectedItem, round_: Round, classifier: ClassifierVersion | None
) -> RecordOut:
    """The record as Argilla will show it. An audit item carries nothing that could anchor."""
    chosen = selected.chosen
    metadata: dict[str, str | int | float] = {
        "round": round_.number,
        "rank": chosen.rank,
        "score": float(chosen.score),
        "reason": chosen.reason[:LONGEST_METADATA],
        "strategy": str(round_.checkpoint.get("strategy_used", round_.strategy)),
        "slice": chosen.slice.value,
        "item": selected.item.external_id[:LONGEST_METADATA],
    }
    if classifier is not None:
        metadata["classifier_version"] = classifier.agent
    if chosen.uncertainty is not None:
        metadata["uncertainty"] = float(chosen.uncertainty)
    suggestion = None
    if not selected.unprompted and chosen.prediction and classifier is not None:
        value = next(iter(chosen.prediction.values()))
        metadata["prediction"] = str(value)
        suggestion = Suggestion(value, chosen.confidence or 0.0, classifier.agent)
    return RecordOut(
        external_id(selected.item.id), dict(selected.item.fields), metadata, suggestion
    )


def return_discarded(work: Work, *, leave: bool) -> None:
    """Where the project wants it, items that somebody discarded go back to the pool. Their records
    are taken out of Argilla, or whoever discarded one would never see it again. With `leave`,
    those that others are still asked about stay."""
    if work.round.settings.on_discard == "return":
        with work.store.transaction() as tx:
            discarded = tx.selections.discarded(work.round)
            asked = set(tx.selections.unanswered(work.round)) if leave else set()
        done = [item for item in discarded if item not in asked]
        withdraw(work, done, kept_by=("submitted", "draft"))


def take_back_older_labels(work: Work) -> None:
    """What was left in the dataset of labels that have been edited since returns to the pool, from
    which it may be chosen by the labels of now; what somebody is at work on stays."""
    with work.store.transaction() as tx:
        stale = tx.selections.of_older_labels(work.round)
    for dataset_id, items in stale.items():
        kept = _delete(work, dataset_id, items, ANY_RESPONSE)
        _note_withdrawn(work, [item for item in items if item not in kept])


def withdraw(
    work: Work, item_ids: Sequence[int], kept_by: Statuses = ANY_RESPONSE
) -> Sequence[int]:
    """Take back what has no such response; gives the items that were answered after all."""
    if not item_ids:
        return []
    with work.store.transaction() as tx:
        dataset = tx.annotations.dataset(work.project)
    kept = _delete(work, dataset.dataset_id, item_ids, kept_by) if dataset else set()
    _note_withdrawn(work, [item for item in item_ids if item not in kept])
    return sorted(kept)


def _note_withdrawn(work: Work, gone: Sequence[int]) -> None:
    with work.store.transaction() as tx:
        tx.rounds.guard(work.round.id, work.round.fence)
        tx.selections.withdraw(work.round.id, gone)


def _delete(work: Work, dataset_id: UUID, item_ids: Sequence[int], kept_by: Statuses) -> set[int]:
    """Delete the records and say which could not be; a dataset that is gone has none."""
    try:
        names = [external_id(i) for i in item_ids]
        report = work.tool.withdraw(dataset_id, names, kept_by=kept_by)
    except NotFound:
        return set()
    return {item for name in report.kept if (item := item_of(name)) is not None}
