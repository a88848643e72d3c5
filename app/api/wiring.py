"""What the routes and pages are given; bootstrap makes it from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request

from app.core.errors import Unavailable
from app.core.importing import RowLimits
from app.exits.bundle import Places
from app.exits.predicting import Predictor
from app.llm.desk import Desk, NoProviders
from app.ports.encoder import Encoder
from app.ports.llm import Providers
from app.ports.rows import RowReader
from app.ports.store import Store
from app.rounds.replaying import Replay


def no_predictor(name: str, number: int | None) -> Predictor:
    raise Unavailable("This service was set up without a way to its classifiers.")


def no_replayer(name: str, number: int) -> Replay:
    raise Unavailable("This service was set up without a way to its features and classifiers.")


def nowhere() -> Places:
    raise Unavailable("This service was set up without a way to its features and classifiers.")


@dataclass(frozen=True, slots=True)
class ApiParts:
    """The outside as the API and the pages see it."""

    store: Store
    rows: RowReader
    ping_tool: Callable[[], None]
    """Raises Unavailable (or Refused) when the annotation tool does not serve us."""
    cookie_secret: str
    webhook_secret: Callable[[], str | None]
    """The signing secret as of now, None while Argilla has no webhook of ours."""
    providers: Providers = field(default_factory=NoProviders)
    """LLM services that the server's settings name."""
    predictor: Callable[[str, int | None], Predictor] = no_predictor
    """The classifier of a project, by number or the newest."""
    replayer: Callable[[str, int], Replay] = no_replayer
    """Makes a round of a project again."""
    whereabouts: Callable[[], Places] = nowhere
    """Where everything of a project lies, for bundles."""
    row_limits: RowLimits = field(default_factory=RowLimits)
    max_upload_bytes: int = 4 * 2**30
    max_json_bytes: int = 2**20
    max_webhook_bytes: int = 8 * 2**20
    """A webhook repeats the whole record, text included."""
    upload_idle_seconds: float = 60.0
    """An upload that stalls holds a transaction; after this long it is given up."""
    heartbeat_seconds: float = 15.0
    """How often an event stream says that it is alive, and looks whether its key still is."""
    max_streams: int = 500
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    """What this server offers for sentence embeddings."""
    public_url: str | None = None
    """Where people reach the service; https here marks cookies as secure."""
    version: str = "0"

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.providers)


def parts_of(request: Request) -> ApiParts:
    """The parts this application was created with."""
    parts: ApiParts = request.app.state.parts
    return parts
