"""Who asks for something: what people do is kept as actions, what the machinery does as events."""

from enum import StrEnum

from app.core.entities import ApiKey


class Via(StrEnum):
    """The way on which a command came."""

    API = "api"
    PAGE = "page"
    COMMAND_LINE = "command line"


class Actor(str):
    """The name that records carry, and behind it who that is: a key, or a user of this machine.

    A plain string as an actor is a part of the machinery (a worker, Argilla, auto mode)."""

    via: Via
    key_id: int | None
    login: str | None

    def __new__(
        cls, name: str, via: Via, *, key_id: int | None = None, login: str | None = None
    ) -> "Actor":
        made = super().__new__(cls, name)
        made.via, made.key_id, made.login = via, key_id, login
        return made


def by_key(key: ApiKey, via: Via) -> Actor:
    return Actor(key.name, via, key_id=key.id)


def at_command_line(login: str) -> Actor:
    return Actor("command line", Via.COMMAND_LINE, login=login)
