"""The composition root: the only file that knows every adapter."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import structlog
from sqlalchemy import Engine

import app
from app.adapters.argilla.tool import ArgillaTool
from app.adapters.embeddings.address import AddressModel
from app.adapters.embeddings.cached import CachedEncoder, EmbeddingModel
from app.adapters.embeddings.local import LocalModel
from app.adapters.features import LocalFeatureStore
from app.adapters.files import LocalFiles
from app.adapters.llm.configured import ConfiguredProviders
from app.adapters.postgres.engine import make_engine
from app.adapters.postgres.store import PostgresStore
from app.adapters.readers import FileRows
from app.adapters.tracking.mlflow import MlflowTracker
from app.adapters.tracking.wandb import WandbTracker
from app.api.wiring import ApiParts
from app.core.errors import Refused, Unavailable, WrongInput
from app.core.importing import RowLimits
from app.core.models import offer_scikit_learn
from app.embedded import running
from app.exits.bundle import Places
from app.exits.predicting import Predictors
from app.llm.desk import Desk
from app.ports.encoder import Encoder
from app.ports.tracker import Tracker
from app.rounds import api_keys
from app.rounds.measuring.measurer import Measurer
from app.rounds.replaying import replay
from app.rounds.runner import Runner
from app.rounds.work import Parts
from app.settings import Settings, read_settings

DATABASE = "rounds"
WEBHOOK_SECRET = "argilla_webhook"  # noqa: S105 - the name of a secret, not one
COOKIE_SECRET = "cookies"  # noqa: S105
log = structlog.get_logger()


@dataclass(frozen=True)
class Container:
    """Everything wired; each part is made when it is first asked for."""

    settings: Settings

    @cached_property
    def engine(self) -> Engine:
        given = self.settings.database_url
        url = given.get_secret_value() if given else running.postgres_url(self.home, DATABASE)
        return make_engine(url)

    @cached_property
    def store(self) -> PostgresStore:
        return PostgresStore(self.engine)

    @cached_property
    def tool(self) -> ArgillaTool:
        settings = self.settings
        url = settings.argilla_url or running.argilla_url(self.home, settings.argilla_port)
        return ArgillaTool(
            url,
            self._argilla_key(),
            workspace=settings.argilla_workspace,
            public_url=settings.argilla_public_url or url,
            timeout=settings.argilla_timeout_seconds,
        )

    def _argilla_key(self) -> str:
        given = self.settings.argilla_api_key
        if given is not None:
            return given.get_secret_value()
        if self.settings.argilla_url is not None:
            raise WrongInput(
                "ROUNDS_ARGILLA_URL is set but ROUNDS_ARGILLA_API_KEY is not. Give the key of an "
                "owner or admin of that Argilla.",
                field="ROUNDS_ARGILLA_API_KEY",
            )
        return running.argilla_owner_key(self.home)

    @cached_property
    def parts(self) -> Parts:
        return Parts(
            store=self.store,
            tool=self.tool,
            files=self.places.files,
            features=self.places.features,
            poll_seconds=self.settings.poll_seconds,
            encoders=self.encoders,
            providers=self.desk.providers,
            trackers=self.trackers,
        )

    @cached_property
    def places(self) -> Places:
        """Where a project's things lie; nothing of Argilla is needed for that."""
        return Places(
            self.store,
            LocalFiles(self.home / "files"),
            LocalFeatureStore(self.home / "features"),
        )

    @cached_property
    def encoders(self) -> Mapping[str, Encoder]:
        """What projects may have for sentence embeddings; nothing is loaded or asked yet."""
        return offered_encoders(self.settings, self.home / "embeddings")

    @cached_property
    def trackers(self) -> Sequence[Tracker]:
        """Those that the settings name; nothing is loaded yet."""
        settings = self.settings
        made: Mapping[str, Callable[[], Tracker]] = {
            "mlflow": lambda: MlflowTracker(
                settings.mlflow_uri or self.home.joinpath("mlflow").as_uri()
            ),
            "wandb": lambda: WandbTracker(
                settings.wandb_project, self.home / "wandb", mode=settings.wandb_mode
            ),
        }
        return [made[name]() for name in settings.trackers]

    @cached_property
    def desk(self) -> Desk:
        return Desk(self.store, ConfiguredProviders(self.settings.llm_providers))

    @property
    def home(self) -> Path:
        return self.settings.home.resolve()

    @property
    def public_url(self) -> str:
        """Where people find the service."""
        return self.settings.public_url or f"http://{self.settings.host}:{self.settings.port}"

    def runner(self) -> Runner:
        return Runner(
            self.parts,
            name=f"{socket.gethostname()}:{os.getpid()}",
            lease_seconds=self.settings.lease_seconds,
            step_attempts=self.settings.step_attempts,
        )

    def measurer(self) -> Measurer:
        """Works beside the runner, in a thread of its own."""
        return Measurer(
            self.parts,
            name=f"{socket.gethostname()}:{os.getpid()}",
            lease_seconds=self.settings.lease_seconds,
        )

    def cookie_secret(self) -> str:
        given = self.settings.secret_key
        if given is not None:
            return given.get_secret_value()
        return self.store.secret(COOKIE_SECRET, secrets.token_urlsafe(48))

    def webhook_secret(self) -> str | None:
        given = self.settings.webhook_secret
        if given is not None:
            return given.get_secret_value()
        return self.store.find_secret(WEBHOOK_SECRET)

    def accept_admin_key(self) -> None:
        """The admin key of the settings works from the first start on."""
        given = self.settings.admin_api_key
        if given is not None:
            api_keys.ensure_key(self.store, "admin", "admin", given.get_secret_value())

    def subscribe_webhook(self, stop: threading.Event) -> None:
        """Ask Argilla to tell us of answers; without it we poll. Tries until it gets an answer."""
        base = self.settings.webhook_url or self.public_url
        url = f"{base.rstrip('/')}/webhooks/argilla"
        pause = 1.0
        while not stop.is_set():
            try:
                secret = self.tool.ensure_webhook(url)
            except Refused as problem:
                log.warning("webhook.refused", reason=problem.message, fallback="polling")
                return
            except Unavailable:
                stop.wait(pause)
                pause = min(pause * 2, 60.0)
                continue
            if secret is None:
                log.info("webhook.not_allowed", fallback="polling")
            else:
                self.store.set_secret(WEBHOOK_SECRET, secret)
            return


def api_parts(container: Container) -> ApiParts:
    """What routes and pages are given."""
    settings = container.settings
    return ApiParts(
        store=container.store,
        rows=FileRows(),
        encoders=container.encoders,
        predictor=Predictors(container.places, container.encoders),
        replayer=partial(replay, container.parts),
        whereabouts=lambda: container.places,
        ping_tool=container.tool.ping,
        providers=container.desk.providers,
        cookie_secret=container.cookie_secret(),
        webhook_secret=container.webhook_secret,
        row_limits=RowLimits(max_text_chars=settings.max_text_chars),
        max_upload_bytes=settings.max_upload_mb * 2**20,
        public_url=settings.public_url,
        version=app.__version__,
    )


def offered_encoders(settings: Settings, folder: Path) -> Mapping[str, Encoder]:
    """By the value of the project's setting."""
    models: dict[str, EmbeddingModel] = {}
    if settings.embeddings_local_model:
        models["local"] = LocalModel(settings.embeddings_local_model)
    if settings.embeddings_url:
        models["address"] = _address_model(settings)
    return {
        kind: CachedEncoder(
            model,
            folder,
            batch=settings.embeddings_batch,
            most_chars=settings.embeddings_max_chars,
        )
        for kind, model in models.items()
    }


def offered_here() -> Mapping[str, Encoder]:
    """As the settings of this process say."""
    return build(read_settings()).encoders


def _address_model(settings: Settings) -> AddressModel:
    if not settings.embeddings_model:
        raise WrongInput(
            "ROUNDS_EMBEDDINGS_URL is set but ROUNDS_EMBEDDINGS_MODEL is not. Name the model.",
            field="ROUNDS_EMBEDDINGS_MODEL",
        )
    key = settings.embeddings_api_key
    return AddressModel(
        settings.embeddings_url or "",
        settings.embeddings_model,
        key.get_secret_value() if key else None,
        timeout=settings.embeddings_timeout_seconds,
    )


def build(settings: Settings) -> Container:
    _offer_classifiers(settings)
    return Container(settings)


def _offer_classifiers(settings: Settings) -> None:
    """Never by a request: a path decides what code runs."""
    for name, given in settings.classifiers.items():
        parameters = {key: value for key, value in given.items() if key != "path"}
        try:
            offer_scikit_learn(name, str(given.get("path", "")), parameters)
        except WrongInput as problem:
            raise WrongInput(f"{name}: {problem.message}", field="ROUNDS_CLASSIFIERS") from None
