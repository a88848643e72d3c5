"""Every error a user can meet. The message says what is wrong and what to do.

RoundsError
├── WrongInput            422  a value that cannot be taken; names the field
├── NotFound              404
├── Conflict              409  the state does not allow this now
│   ├── LeaseLost              another worker took over; our result is dropped
│   ├── NotAsForeseen          what somebody has agreed to is not what would happen by now
│   └── BudgetSpent            the money that an LLM may cost is used up; nothing was asked
├── NotAllowed            403
├── NotAuthenticated      401
├── SelectionUnhealthy         the batch would be worthless: the round fails loudly
├── ArtefactDamaged            a stored file is not the one recorded
└── Unavailable           503  something outside does not answer; worth trying again
    └── Refused                it answered, and said no: trying again will not help
"""

from collections.abc import Mapping
from typing import Any


class RoundsError(Exception):
    """Base of everything Rounds raises on purpose."""

    code = "error"
    status = 500

    def __init__(self, message: str, **evidence: Any) -> None:
        super().__init__(message)
        self.message = message
        self.evidence: Mapping[str, Any] = evidence


class WrongInput(RoundsError):
    """A value that cannot be taken."""

    code = "wrong-input"
    status = 422

    def __init__(self, message: str, *, field: str | None = None, **evidence: Any) -> None:
        super().__init__(message, **evidence)
        self.field = field


class NotFound(RoundsError):
    """There is no such thing."""

    code = "not-found"
    status = 404


class Conflict(RoundsError):
    """The state of the project or round does not allow this now."""

    code = "conflict"
    status = 409


class LeaseLost(Conflict):
    """Another worker has taken this project over; nothing of ours was written."""

    code = "lease-lost"


class NotAsForeseen(Conflict):
    """It would change something else than what was shown and agreed to; nothing was changed."""

    code = "not-as-foreseen"


class BudgetSpent(Conflict):
    """The next call to an LLM could cost more than the caps leave; it was not made."""

    code = "budget-spent"


class NotAllowed(RoundsError):
    """The key is good, its role is not enough."""

    code = "not-allowed"
    status = 403


class NotAuthenticated(RoundsError):
    """No key, or one that is unknown or revoked."""

    code = "not-authenticated"
    status = 401


class SelectionUnhealthy(RoundsError):
    """The batch would waste the annotators' time."""

    code = "selection-unhealthy"


class ArtefactDamaged(RoundsError):
    """A stored file is missing or is not the one whose hash was recorded."""

    code = "artefact-damaged"


class Unavailable(RoundsError):
    """Something outside does not answer. The step is tried again."""

    code = "unavailable"
    status = 503


class Refused(Unavailable):
    """Something outside answered and said no; the same request will be refused again."""

    code = "refused"
    status = 502
