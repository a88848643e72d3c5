"""Which sentence embeddings a project may have on this server."""

from collections.abc import Mapping

from app.core.errors import WrongInput
from app.core.projects import NO_EMBEDDINGS
from app.ports.encoder import Encoder

Encoders = Mapping[str, Encoder]
"""What the server offers, by the value of the project's setting."""
NONE_OFFERED: Encoders = {}
SETTINGS = {
    "local": "ROUNDS_EMBEDDINGS_LOCAL_MODEL",
    "address": "ROUNDS_EMBEDDINGS_URL and ROUNDS_EMBEDDINGS_MODEL",
}


def encoder_of(encoders: Encoders, embeddings: str) -> Encoder | None:
    """None for a project without embeddings; WrongInput if the server offers no such ones."""
    if embeddings == NO_EMBEDDINGS:
        return None
    if embeddings not in encoders:
        raise WrongInput(
            f"This server offers no embeddings of the kind {embeddings!r}. Whoever runs it can set "
            f"{SETTINGS[embeddings]} (for the API and the workers alike); or set embeddings to "
            f"{NO_EMBEDDINGS!r}.",
            field="embeddings",
        )
    return encoders[embeddings]
