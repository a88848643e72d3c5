"""A sentence-transformers model in this process; texts stay where they are."""

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.adapters.embeddings.naming import short_name
from app.core.errors import Refused


class LocalModel:
    """Loaded when it is first asked something. `model` is a folder, or a name on the hub, which is
    then downloaded once by sentence-transformers itself."""

    sends_to: str | None = None

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return short_name(self._model, self._model)

    @property
    def identity(self) -> str:
        """With its weights: a folder may hold others than it did."""
        digest = sha256()
        for key, tensor in sorted(self._loaded.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.cpu().float().numpy().tobytes())
        return f"{self._model} {digest.hexdigest()}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.floating]:
        rows: NDArray[np.floating] = self._loaded.encode(
            list(texts), batch_size=len(texts), convert_to_numpy=True, show_progress_bar=False
        )
        return rows

    @cached_property
    def _loaded(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise Refused(
                "ROUNDS_EMBEDDINGS_LOCAL_MODEL names a model, but sentence-transformers is not "
                "installed. Install argilla-rounds[embeddings]."
            ) from None
        try:
            return SentenceTransformer(self._model, device="cpu", trust_remote_code=False)
        except (OSError, ValueError, RuntimeError) as problem:
            raise Refused(
                f"The sentence-transformers model {self._model!r} cannot be loaded "
                f"({type(problem).__name__}). ROUNDS_EMBEDDINGS_LOCAL_MODEL must be the folder of "
                "one, or a name on the hub that can be reached from here."
            ) from None
