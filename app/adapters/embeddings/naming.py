"""Names of models that can stand in names of files and versions."""

import re
from hashlib import sha256


def short_name(model: str, identity: str) -> str:
    """The last part of the model's name, and six digits that tell it from others of that name."""
    last = re.split(r"[/\\]", model.rstrip("/\\"))[-1]
    plain = re.sub(r"[^a-z0-9.-]+", "-", last.lower()).strip("-.")[:40] or "model"
    return f"{plain}.{sha256(identity.encode()).hexdigest()[:6]}"
