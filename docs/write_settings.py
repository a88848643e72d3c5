"""Writes what the settings say of themselves into `.env.example` and `docs/settings.md`.

After a change to app/settings.py run `.venv/bin/python docs/write_settings.py`; a test compares.
"""

import sys
from pathlib import Path
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from app.settings import Settings  # noqa: E402 - a script must first say where the package is

BEGIN = "# --- settings of Rounds (written by docs/write_settings.py) ---"
END = "# --- end of the settings of Rounds ---"
PAGE = """# Settings

Every setting of Rounds, read from the environment or from a file `.env` in the folder where the
command runs; the environment wins. Written from `app/settings.py` by `docs/write_settings.py`.

| variable | default | what it does |
|---|---|---|
"""


def variable(name: str) -> str:
    return f"ROUNDS_{name.upper()}"


def default_of(field: FieldInfo) -> str:
    """As it would be written in `.env`; empty where there is none."""
    return "" if field.default is None else str(field.default)


def is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def env_block() -> str:
    """Commented out, so that a copy of the file changes nothing until a line is made to count."""
    lines = [BEGIN]
    for name, field in Settings.model_fields.items():
        lines += [f"# {field.description}", f"# {variable(name)}={default_of(field)}", ""]
    return "\n".join([*lines[:-1], END])


def page() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = f"`{default_of(field)}`" if default_of(field) else "none"
        note = " (secret)" if is_secret(field) else ""
        rows.append(f"| `{variable(name)}` | {default} | {field.description}{note} |\n")
    return PAGE + "".join(rows)


def with_block(text: str) -> str:
    """The text of `.env.example` with its middle part renewed."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{env_block()}{after}"


def main() -> None:
    example = REPOSITORY / ".env.example"
    example.write_text(with_block(example.read_text()))
    (REPOSITORY / "docs" / "settings.md").write_text(page())


if __name__ == "__main__":
    main()
