"""Arrays and a JSON header as bytes and back, without ever unpickling anything."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import ArtefactDamaged

_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The same content gives the same bytes: no times, fixed order."""
    parts = {"header": _text(header), **arrays}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name in sorted(parts):
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(parts[name]), allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{name}.npy", _LONG_AGO), data.getvalue())
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The inverse of pack; ArtefactDamaged for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("header").tobytes())
        if not isinstance(header, dict):
            raise ValueError("the header is not an object")
    except (OSError, EOFError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise ArtefactDamaged(f"This is not a stored classifier: {error}") from error
    return header, arrays


def _text(header: Mapping[str, Any]) -> NDArray[np.uint8]:
    text = json.dumps(header, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
