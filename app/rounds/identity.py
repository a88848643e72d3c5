"""Names that other programs know our things by; all derived, so that a repeat finds them again."""

from hashlib import blake2b

from app.core.entities import Project

ITEM = "item-"


def external_id(item_id: int) -> str:
    """The record's name in Argilla."""
    return f"{ITEM}{item_id}"


def item_of(external_id: str | None) -> int | None:
    """The item behind a record's name; None if the record is none of ours."""
    if not external_id or not external_id.startswith(ITEM):
        return None
    number = external_id.removeprefix(ITEM)
    return int(number) if number.isascii() and number.isdigit() else None


def dataset_name(project: Project) -> str:
    """One dataset a project and label-schema version; the uid keeps a re-made project apart."""
    return f"{project.name}-v{project.schema_version}-{project.uid.hex[:8]}"


def derived_seed(seed: int, *parts: str | int) -> int:
    """A seed for one purpose, the same on every machine and in every repetition."""
    text = "/".join(str(part) for part in (seed, *parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) >> 1
