"""Artefacts as files under one folder."""

from hashlib import sha256
from pathlib import Path

from app.adapters.folders import flush, inside, remove_folder, scratch, writing_to
from app.core.errors import ArtefactDamaged
from app.ports.files import Artefact


class LocalFiles:
    """The file store on a local or mounted disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: str, data: bytes) -> Artefact:
        """Whoever looks finds the old file or the new one, never a part; also after a power cut."""
        target = inside(self._root, path)
        with scratch(self._root) as folder, writing_to(target):
            fresh = folder / "data"
            fresh.write_bytes(data)
            flush(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)
            flush(target.parent)
        return Artefact(path, sha256(data).hexdigest())

    def remove(self, folder: str) -> None:
        remove_folder(self._root, folder)

    def get(self, artefact: Artefact) -> bytes:
        target = inside(self._root, artefact.path)
        try:
            data = target.read_bytes()
        except OSError as error:
            raise ArtefactDamaged(
                f"The file {artefact.path} cannot be read ({error.strerror}). Restore it from a "
                "backup, or start the round again to make it anew.",
                path=artefact.path,
            ) from error
        found = sha256(data).hexdigest()
        if found != artefact.sha256:
            raise ArtefactDamaged(
                f"The file {artefact.path} is not the one recorded. Restore it from a backup, or "
                "start the round again to make it anew.",
                path=artefact.path,
                recorded=artefact.sha256,
                found=found,
            )
        return data
