"""What people can ask of a project itself: to be made, set otherwise, fitted anew."""

from collections.abc import Mapping
from typing import Any

from app.core.entities import Project, ProjectState
from app.core.errors import Conflict, WrongInput
from app.core.json_values import NotJson, storable
from app.core.llm.entities import ADVICE
from app.core.models import check_classifier_options, resolve_classifier
from app.core.projects import ProjectSettings, check_name, settings_from
from app.core.strategies import advice_wanted, check_strategy_options, resolve_strategy
from app.core.tasks import TaskSpec, task_type
from app.ports.store import Store
from app.rounds.encoders import NONE_OFFERED, Encoders, encoder_of


def create_project(
    store: Store, given: Mapping[str, Any], *, actor: str, encoders: Encoders = NONE_OFFERED
) -> Project:
    """A project from what API, command line or form gave; WrongInput names what is wrong."""
    rest = _storable(given)
    name = check_name(str(rest.pop("name", "")))
    task = task_from(rest.pop("task", None))
    settings = settings_from(rest)
    check_choices(settings)
    encoder_of(encoders, settings.embeddings)
    with store.transaction() as tx:
        project = tx.projects.create(name, task, settings)
        tx.events.add("project.created", actor, project_id=project.id, settings=settings.as_json())
    return project


def _storable(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(storable(given))
    except NotJson as reason:
        raise WrongInput(f"A value cannot be kept: {reason}", field="body") from None


def task_from(given: object) -> TaskSpec:
    if not isinstance(given, Mapping) or "type" not in given:
        raise WrongInput(
            'A task is needed, such as {"type": "single_label", "labels": ["spam", "ham"]}.',
            field="task",
        )
    labels = given.get("labels", [])
    if not isinstance(labels, list | tuple) or not all(isinstance(one, str) for one in labels):
        raise WrongInput("task.labels must be a list of names.", field="task.labels")
    guidelines = given.get("guidelines")
    if guidelines is not None and not isinstance(guidelines, str):
        raise WrongInput("task.guidelines must be text.", field="task.guidelines")
    if unknown := sorted(set(given) - {"type", "labels", "guidelines"}):
        raise WrongInput(f"Unknown task setting {unknown[0]!r}.", field=f"task.{unknown[0]}")
    task = TaskSpec(str(given["type"]), tuple(labels), guidelines)
    task_type(task).check(task)
    return task


def check_choices(settings: ProjectSettings) -> None:
    """There are such strategies and classifiers, and they know these options."""
    resolve_strategy(settings.strategy)
    resolve_classifier(settings.classifier)
    check_strategy_options(settings.strategy_options)
    check_classifier_options(settings.classifier_options)
    if "expert_rows" in settings.strategy_options:
        raise WrongInput(
            "expert_rows counts rows of an experiment. Name a project's items by their ids, as "
            "they were imported: expert_items.",
            field="expert_rows",
        )
    _check_advice(settings)


def _check_advice(settings: ProjectSettings) -> None:
    """Where the strategy or the cold start has an LLM asked, it may be."""
    for cold in (True, False):
        wanted = advice_wanted(settings.strategy, settings.strategy_options, cold=cold)
        if wanted is not None:
            settings.llm.insist(ADVICE[wanted])


def change_project(
    store: Store,
    name: str,
    given: Mapping[str, Any],
    *,
    actor: str,
    encoders: Encoders = NONE_OFFERED,
) -> Project:
    """New settings hold from the next round on; an open round keeps those it began with."""
    rest = _storable(given)
    state = _state_from(rest.pop("state", None))
    auto = _off_only(rest.pop("auto", None))
    guidelines = rest.pop("guidelines", None)
    if guidelines is not None and not isinstance(guidelines, str):
        raise WrongInput("guidelines must be text.", field="guidelines")
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        if project.erase_at is not None:
            raise Conflict(f"{name} is being deleted. Restore it first: rounds restore {name}")
        settings = settings_from(rest, project.settings)
        check_choices(settings)
        _check_fields_stay(project, settings.fields)
        if rest.get("embeddings") is not None:
            encoder_of(encoders, settings.embeddings)
        changed = tx.projects.change(
            project.id, settings=settings, guidelines=guidelines, state=state
        )
        tx.events.add("project.changed", actor, project_id=project.id, changes=_storable(given))
        if auto is False:
            tx.runs.end(project.id, None)
            changed = tx.projects.get(project.id)
    return changed


def _off_only(given: object) -> bool | None:
    if given is None or given is False:
        return given
    raise WrongInput(
        "auto can be set to false only. Start a round with auto to switch it on.", field="auto"
    )


def _state_from(given: object) -> ProjectState | None:
    if given is None:
        return None
    try:
        return ProjectState(str(given))
    except ValueError:
        known = ", ".join(state.value for state in ProjectState)
        raise WrongInput(f"state must be one of {known}.", field="state") from None


def _check_fields_stay(project: Project, fields: tuple[str, ...]) -> None:
    if fields != project.settings.fields:
        raise WrongInput(
            "The fields of a project cannot change: its items and its Argilla dataset have them. "
            "Make a new project.",
            field="fields",
        )


def refit_features(store: Store, name: str, *, actor: str) -> None:
    """The next step that needs features fits them on all items, though no item has come."""
    with store.transaction() as tx:
        project = tx.projects.by_name(name)
        tx.classifiers.outdate_features(project.id)
        tx.events.add("features.refit_requested", actor, project_id=project.id)
