"""What people did, in words, from the actions that the store keeps."""

from collections.abc import Callable, Mapping
from typing import Any

Detail = Mapping[str, Any]

TOLD: Mapping[str, Callable[[Detail], str]] = {
    "project.created": lambda _: "created the project",
    "project.changed": lambda d: f"changed {_named(d.get('changes', {}))}",
    "project.imported": lambda _: "restored the project from a bundle",
    "project.repair_requested": lambda _: "had what was deleted in Argilla brought back",
    "project.delete_requested": lambda d: f"deleted the project, for good in {d['days']:g} days",
    "project.restored": lambda _: "took the deletion back",
    "features.refit_requested": lambda _: "had the features fitted anew",
    "items.imported": lambda d: f"imported {d['created']:,} new items of {d['received']:,} rows",
    "labels.edited": lambda d: f"edited the labels; {d['carried']:,} answers were carried over",
    "labels.edit_requested": lambda d: f"asked for the labels {', '.join(d['labels'])}",
    "labels.adopted": lambda d: f"took over {d['labels']:,} labels of {d['source']}",
    "llm.job_begun": lambda d: f"had an LLM asked about {d['items']:,} items ({d['purpose']})",
    "llm.job_cancelled": lambda d: f"ended the long run {d['job']}",
    "llm.reopened": lambda d: f"let {d['source']} label again",
    "auto.started": lambda _: "let rounds follow each other",
    "key.created": lambda d: f"made the key {d['name']} ({d['role']})",
    "key.revoked": lambda d: f"revoked the key {d['name']}",
}
OF_ROUND = {
    "round.planned": "started round {}",
    "round.cancel_requested": "cancelled round {}",
    "round.finish_requested": "finished round {} with the answers there were",
    "round.resume_requested": "resumed round {}",
}


def told(action: Mapping[str, Any]) -> str:
    """What was done, to be read after who did it."""
    kind = action["kind"]
    if kind in OF_ROUND and action["round"]:
        return OF_ROUND[kind].format(action["round"])
    tell = TOLD.get(kind)
    return tell(action["detail"]) if tell else kind.replace(".", ": ").replace("_", " ")


def doer(action: Mapping[str, Any]) -> str:
    """Who: a key by its name, or a user of the machine that Rounds runs on."""
    return f"{action['login']} (command line)" if action["login"] else str(action["actor"])


def _named(changes: Detail) -> str:
    return ", ".join(str(name) for name in changes) or "nothing"
