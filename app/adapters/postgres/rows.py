"""From database rows to entities; nothing else of a row leaves this package."""

from typing import Any

from sqlalchemy import RowMapping

from app.core.entities import (
    AnnotationDataset,
    ApiKey,
    ClassifierVersion,
    Dispute,
    Event,
    FeatureVersion,
    Item,
    LabelEdit,
    NewSelection,
    Project,
    ProjectState,
    Role,
    Round,
    RoundState,
    SelectedItem,
)
from app.core.projects import ProjectSettings, settings_from
from app.core.tasks import TaskSpec
from app.core.types import Slice, Split


def task_json(task: TaskSpec) -> dict[str, Any]:
    return {"type": task.type, "labels": list(task.labels), "guidelines": task.guidelines}


def task_from(json: Any) -> TaskSpec:
    return TaskSpec(json["type"], tuple(json["labels"]), json.get("guidelines"))


def project_settings(json: Any) -> ProjectSettings:
    return settings_from(json)


def project(row: RowMapping) -> Project:
    return Project(
        id=row["id"],
        uid=row["uid"],
        name=row["name"],
        task=task_from(row["task"]),
        schema_version=row["schema_version"],
        settings=project_settings(row["settings"]),
        state=ProjectState(row["state"]),
        created_at=row["created_at"],
        auto_since=row["auto_since"],
        stopped=row["stopped"],
        erase_at=row["erase_at"],
        erase_argilla=row["erase_argilla"],
        label_edit=LabelEdit(**row["label_edit"]) if row["label_edit"] else None,
    )


def item(row: RowMapping, prefix: str = "") -> Item:
    return Item(
        id=row[f"{prefix}id"],
        external_id=row["external_id"],
        fields=row["fields"],
        metadata=row["metadata"],
        split=Split(row["split"]),
    )


def round_(row: RowMapping) -> Round:
    failed_in = row["failed_in"]
    return Round(
        id=row["id"],
        project_id=row["project_id"],
        number=row["number"],
        state=RoundState(row["state"]),
        strategy=row["strategy"],
        classifier=row["classifier"],
        batch_size=row["batch_size"],
        seed=row["seed"],
        settings=project_settings(row["settings"]),
        checkpoint=row["checkpoint"],
        attempts=row["attempts"],
        fence=row["fence"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        closed_at=row["closed_at"],
        failed_in=RoundState(failed_in) if failed_in else None,
        error=row["error"],
        cancel_requested=row["cancel_requested"],
        finish_requested=row["finish_requested"],
        repair_requested=row["repair_requested"],
        classifier_id=row["classifier_id"],
        result_id=row["result_id"],
        pool_id=row["pool_id"],
        schema_version=row["schema_version"],
        purpose=row["purpose"],
        asked=tuple(row["asked"]),
        actor=row["actor"],
    )


def selected_item(row: RowMapping) -> SelectedItem:
    return SelectedItem(
        selection_id=row["selection_id"],
        item=item(row, prefix="item_"),
        chosen=NewSelection(
            item_id=row["item_id"],
            rank=row["rank"],
            slice=Slice(row["slice"]),
            score=row["score"],
            reason=row["reason"],
            draw_probability=row["draw_probability"],
            prediction=row["prediction"],
            confidence=row["confidence"],
            uncertainty=row["uncertainty"],
        ),
        push_state=row["push_state"],
        record_id=row["record_id"],
        checks_llm=row["checks_llm"],
    )


def dispute(row: RowMapping) -> Dispute:
    return Dispute(
        item=item(row),
        rank=row["rank"],
        record_id=row["record_id"],
        is_open=row["is_open"],
        answers=row["answers"],
    )


def dataset(row: RowMapping) -> AnnotationDataset:
    return AnnotationDataset(
        id=row["id"],
        project_id=row["project_id"],
        schema_version=row["schema_version"],
        dataset_id=row["dataset_id"],
        annotate_url=row["annotate_url"],
        seen_activity=row["seen_activity"],
        seen_whole=row["seen_whole"],
        full_look_due=row["full_look_due"],
        problem=row["problem"],
        purpose=row["purpose"],
    )


def feature_version(row: RowMapping) -> FeatureVersion:
    return FeatureVersion(
        id=row["id"],
        project_id=row["project_id"],
        version=row["version"],
        recipe=row["recipe"],
        items=row["items"],
        path=row["path"],
        sha256=row["sha256"],
    )


def classifier(row: RowMapping) -> ClassifierVersion:
    return ClassifierVersion(
        id=row["id"],
        project_id=row["project_id"],
        number=row["number"],
        name=row["name"],
        fingerprint=row["fingerprint"],
        feature_version=row["feature_version"],
        feature_version_id=row["feature_version_id"],
        labels=row["labels"],
        path=row["path"],
        sha256=row["sha256"],
        report=row["report"],
        created_at=row["created_at"],
        features_id=row["feature_version_id"],
        libraries=row["libraries"],
        pool_id=row["pool_id"],
    )


def api_key(row: RowMapping) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        prefix=row["prefix"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


def event(row: RowMapping) -> Event:
    return Event(
        id=row["id"],
        at=row["created_at"],
        kind=row["kind"],
        actor=row["actor"],
        round_number=row["round_number"],
        detail=row["detail"],
    )
