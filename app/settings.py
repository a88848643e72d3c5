"""Settings from `ROUNDS_*` in the environment or `.env`; read when asked for, never at import."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.errors import WrongInput


class Settings(BaseSettings):
    """Everything that can be set from outside. `.env.example` names each one; a test compares."""

    model_config = SettingsConfigDict(
        env_prefix="ROUNDS_", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    home: Path = Field(
        Path(".rounds"),
        description="Where data, secrets and logs live. Embedded Postgres and Argilla too.",
    )
    host: str = Field("127.0.0.1", description="Address on which the API and dashboard listen.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the API and dashboard.")
    public_url: str | None = Field(
        None, description="Address under which people reach the service, if another."
    )
    webhook_url: str | None = Field(
        None, description="Address under which Argilla reaches the service, if yet another."
    )
    database_url: SecretStr | None = Field(
        None, description="postgresql://… of your own Postgres. Unset: an embedded one."
    )
    argilla_url: str | None = Field(
        None, description="Address of your own Argilla server. Unset: an embedded one."
    )
    argilla_public_url: str | None = Field(
        None, description="Address of Argilla as annotators' browsers see it, if another."
    )
    argilla_api_key: SecretStr | None = Field(
        None, description="API key of an Argilla owner or admin; goes with ROUNDS_ARGILLA_URL."
    )
    argilla_port: int = Field(6900, ge=1, le=65535, description="Port of the embedded Argilla.")
    argilla_workspace: str = Field("rounds", description="Argilla workspace for our datasets.")
    argilla_timeout_seconds: float = Field(
        120, gt=0, description="How long one request to Argilla may take."
    )
    webhook_secret: SecretStr | None = Field(
        None, description="Secret of Argilla's webhook. Unset: the one it gave when we subscribed."
    )
    admin_api_key: SecretStr | None = Field(
        None, description="A key that the service accepts as admin from its first start on."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs the dashboard's cookies. Unset: made once, kept in Postgres."
    )
    embeddings_local_model: str | None = Field(
        None,
        description="Folder or name of a sentence-transformers model that projects may use; needs "
        "rounds[embeddings].",
    )
    embeddings_url: str | None = Field(
        None,
        description="Base address of an OpenAI-compatible embeddings service that projects may "
        "use, such as https://api.openai.com/v1. Their texts are sent there.",
    )
    embeddings_model: str | None = Field(
        None, description="Name of the model at that address; goes with ROUNDS_EMBEDDINGS_URL."
    )
    embeddings_api_key: SecretStr | None = Field(None, description="Key for that address.")
    embeddings_batch: int = Field(
        64, ge=1, le=2048, description="Texts in one request for embeddings."
    )
    embeddings_max_chars: int = Field(
        8000, ge=1, description="So much of a text is embedded; the rest is not looked at."
    )
    embeddings_timeout_seconds: float = Field(
        60, gt=0, description="How long one request for embeddings may take."
    )
    classifiers: dict[str, dict[str, Any]] = Field(
        {},
        description="Further classifiers of scikit-learn that projects may use, by name, as JSON: "
        '{"forest": {"path": "sklearn.ensemble.RandomForestClassifier", "n_estimators": 200}}. The '
        "same for the API and the workers.",
    )
    poll_seconds: float = Field(
        2, gt=0, description="How often answers are looked for; a webhook makes it at once."
    )
    lease_seconds: float = Field(
        30,
        ge=2,
        description="After this long without a sign of life a worker's round is taken over.",
    )
    step_attempts: int = Field(
        8, ge=1, description="How often a step is tried, with growing pauses, before a round fails."
    )
    threads: int = Field(1, ge=1, description="Threads for linear algebra in a worker.")
    max_upload_mb: int = Field(4096, ge=1, description="Largest import accepted over HTTP, in MB.")
    max_text_chars: int = Field(
        200_000, ge=1, description="Longest text of one item; longer ones are rejected one by one."
    )
    llm_providers: dict[str, dict[str, Any]] = Field(
        {},
        description="LLM services by name, as JSON; docs/llm.md says how. Keys are not among them: "
        "each is read from an environment variable that is named there.",
    )
    trackers: list[Literal["mlflow", "wandb"]] = Field(
        [],
        description='Experiment trackers told of every closed round, as JSON: ["mlflow", "wandb"]. '
        "Need rounds[mlflow], rounds[wandb].",
    )
    mlflow_uri: str | None = Field(
        None, description="MLflow's tracking address. Unset: files in ROUNDS_HOME/mlflow."
    )
    wandb_project: str = Field("rounds", description="Project in Weights & Biases.")
    wandb_mode: Literal["offline", "online"] = Field(
        "offline",
        description="Offline, runs are kept in ROUNDS_HOME/wandb until `wandb sync` sends them.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged. Texts and secrets never are."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="Log lines for people or for machines."
    )


def read_settings() -> Settings:
    """The settings as the environment gives them now; WrongInput names one that is wrong."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        name = f"ROUNDS_{first['loc'][0]}".upper()
        raise WrongInput(f"{first['msg']}. See docs/settings.md.", field=name) from None
