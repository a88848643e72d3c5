"""The things Rounds keeps: projects, items, rounds and what happened to them. Plain values."""

from app.core.entities.answers import (
    Checked,
    CurrentLabel,
    Dispute,
    ItemAnswers,
    KnownResponse,
    LabelledItem,
    NewLabel,
    ResponseStatus,
    Revision,
)
from app.core.entities.classifiers import ClassifierVersion, FeatureVersion
from app.core.entities.items import Item, ItemContent, PoolIds
from app.core.entities.people import ApiKey, Event, Role
from app.core.entities.projects import ImportReport, LabelEdit, Project, ProjectState, Standing
from app.core.entities.rounds import (
    MEASURING,
    AnnotationDataset,
    MeasuringTask,
    NewSelection,
    PendingItem,
    Round,
    RoundCounts,
    RoundState,
    RunFacts,
    SelectedItem,
)

__all__ = [
    "MEASURING",
    "AnnotationDataset",
    "ApiKey",
    "Checked",
    "ClassifierVersion",
    "CurrentLabel",
    "Dispute",
    "Event",
    "FeatureVersion",
    "ImportReport",
    "Item",
    "ItemAnswers",
    "ItemContent",
    "KnownResponse",
    "LabelEdit",
    "LabelledItem",
    "MeasuringTask",
    "NewLabel",
    "NewSelection",
    "PendingItem",
    "PoolIds",
    "Project",
    "ProjectState",
    "ResponseStatus",
    "Revision",
    "Role",
    "Round",
    "RoundCounts",
    "RoundState",
    "RunFacts",
    "SelectedItem",
    "Standing",
]
