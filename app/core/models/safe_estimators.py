"""scikit-learn estimators as bytes through skops: no pickle; the same estimator, the same bytes.

skops names parts by the address they had in memory and stamps them with the time; both are
replaced by a count here.
"""

import io
import json
import re
import zipfile
from typing import Any

from app.core.errors import ArtefactDamaged

_SCHEMA = "schema.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_ADDRESS = re.compile(r'("__id__": |"file": ")(\d+)')
_OURS = ("sklearn.", "numpy.", "scipy.")
"""Whatever else a file wants to be made of is not trusted."""


def estimator_bytes(estimator: Any) -> bytes:
    """The estimator without its addresses in memory."""
    from skops import io as skops  # loads slowly, and few classifiers need it

    with zipfile.ZipFile(io.BytesIO(skops.dumps(estimator))) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    schema = parts.pop(_SCHEMA).decode()
    numbers: dict[str, str] = {}
    for address in _ADDRESS.finditer(schema):
        numbers.setdefault(address[2], str(len(numbers)))
    schema = _ADDRESS.sub(lambda found: found[1] + numbers[found[2]], schema)
    renamed = {_renamed(name, numbers): data for name, data in parts.items()}
    return _zipped({**renamed, _SCHEMA: schema.encode()})


def load_estimator(data: bytes) -> Any:
    """The inverse; ArtefactDamaged for what is no estimator or wants foreign types."""
    from skops import io as skops

    try:
        foreign = [name for name in skops.get_untrusted_types(data=data) if not _ours(name)]
        if foreign:
            raise ArtefactDamaged(f"The stored classifier wants foreign types: {foreign}.")
        return skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ArtefactDamaged(f"This is not a stored estimator: {error}") from error


def _ours(name: str) -> bool:
    return name.startswith(_OURS)


def _renamed(name: str, numbers: dict[str, str]) -> str:
    stem, _, ending = name.partition(".")
    return f"{numbers[stem]}.{ending}" if stem in numbers else name


def _zipped(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(parts):
            file.writestr(zipfile.ZipInfo(name, _LONG_AGO), parts[name])
    return buffer.getvalue()


def canonical_json(value: Any) -> str:
    """One spelling of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
