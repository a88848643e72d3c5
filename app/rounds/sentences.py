"""The answer to "how does it stand?" in one sentence, computed from the state."""

from collections.abc import Mapping
from typing import Any


def of_round(view: Mapping[str, Any]) -> str:
    """One round, from its view in the API's shape."""
    number, state, counts = view["number"], view["state"], view["counts"]
    if state == "annotating":
        waiting = counts["pushed"] - counts["answered"]
        return f"Round {number} is waiting for {waiting} of {counts['pushed']} answers."
    if state == "failed":
        return f"Round {number} failed while {view['failed_in']}: {view['error']['title']}"
    if state == "cancelled":
        return f"Round {number} was cancelled; {counts['labelled']} of its labels were kept."
    if state == "closed":
        return _closed(view)
    return f"Round {number} is at work: {state}."


def _closed(view: Mapping[str, Any]) -> str:
    accuracy = view["metrics"].get("accuracy")
    if accuracy is None:
        note = view["notes"][0] if view["notes"] else "Nothing was measured."
        return f"Round {view['number']} is closed with {view['labelled']:,} labels. {note}"
    return (
        f"Round {view['number']} is closed: accuracy {accuracy:.1%} on {view['metrics']['n']:,} "
        f"held-out items, from {view['labelled']:,} labels."
    )


def without_rounds(name: str, counts: Mapping[str, int]) -> str:
    """A project that has none yet."""
    if not counts["pool"]:
        return f"{name} has no items yet."
    return f"{name} is ready for its first round: {counts['unlabelled']:,} items to choose from."
