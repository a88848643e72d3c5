"""Free ports on the loopback address, and a clear word when one is taken."""

import socket
from pathlib import Path

from app.core.errors import Conflict

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether we could listen there; remains of closed connections do not count."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def remembered_port(file: Path) -> int:
    """The port used last time if it is still free, else another, remembered from now on.

    Only for services that nobody outside has to find.
    """
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        port = 0
    if port and is_free(port):
        return port
    port = free_port()
    file.write_text(str(port))
    return port


def require_free(port: int, setting: str, host: str = LOOPBACK) -> None:
    """Refuse to go on when a port that people rely on is taken."""
    if not is_free(port, host):
        raise Conflict(
            f"Port {port} is already in use on this machine. "
            f"Stop what listens there, or choose another port with {setting}.",
            port=port,
            setting=setting,
        )
