"""Task types. One object a type knows its Argilla question, its values and how answers merge."""

from app.core.errors import WrongInput
from app.core.tasks.base import Consensus, Question, TaskSpec, TaskType, Value
from app.core.tasks.single_label import SingleLabel

TASK_TYPES: dict[str, TaskType] = {task.type: task for task in (SingleLabel(),)}

__all__ = ["TASK_TYPES", "Consensus", "Question", "TaskSpec", "TaskType", "Value", "task_type"]


def task_type(spec: TaskSpec | str) -> TaskType:
    """The task object for a project's task."""
    name = spec if isinstance(spec, str) else spec.type
    try:
        return TASK_TYPES[name]
    except KeyError:
        known = ", ".join(sorted(TASK_TYPES))
        raise WrongInput(
            f"Unknown task type {name!r}. Known: {known}.", field="task.type"
        ) from None
