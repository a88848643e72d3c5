"""Writes `.env` for docker-compose.yml: `.env.example` with a random secret in every empty place.

Standard library only, for it runs on a Docker host where nothing of ours is installed. Hexadecimal,
because the secrets stand in addresses and in the arguments of Argilla's start script.
"""

import os
import re
import secrets
import sys
from pathlib import Path

BYTES = 24
EMPTY = re.compile(r"^([A-Z][A-Z0-9_]*)=[ \t]*$", re.MULTILINE)


def filled(example: str) -> str:
    """The example with every `NAME=` made `NAME=secret`; comments and other lines stay."""
    return EMPTY.sub(lambda found: f"{found[1]}={secrets.token_hex(BYTES)}", example)


def write_once(path: Path, content: str) -> None:
    """Readable by its owner only; FileExistsError rather than new secrets for old data."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(content)


def main(folder: Path) -> int:
    target = folder / ".env"
    try:
        write_once(target, filled((folder / ".env.example").read_text()))
    except FileExistsError:
        print(f"{target} is there already and stays as it is. Move it away to make new secrets.")  # noqa: T201
        return 1
    print(f"Wrote {target} with random secrets. Next: docker compose up --build --detach")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
