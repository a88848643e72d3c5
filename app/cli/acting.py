"""Who sits at the command line."""

import getpass
import os

from app.core.acting import Actor, at_command_line


def actor() -> Actor:
    """The user of this machine; by number where it has no name, as in some containers."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid {os.getuid()}"
    return at_command_line(login)
