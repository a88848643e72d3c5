"""Weights & Biases: a run a project, a step a round. Needs rounds[wandb].

Offline unless the settings say otherwise: runs lie in a folder until somebody syncs them.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.core.errors import Refused
from app.ports.tracker import RoundReport


class WandbTracker:
    name = "wandb"

    def __init__(self, project: str, folder: Path, *, mode: str) -> None:
        self._project, self._folder, self._mode = project, folder, mode

    def tell(self, report: RoundReport) -> None:
        wandb = _library()
        self._folder.mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=self._project,
            id=report.run,
            name=report.project,
            resume="allow",
            mode=self._mode,
            dir=str(self._folder),
            config=dict(report.config),
            # nothing of the machine, the code or the console goes along
            settings=wandb.Settings(
                console="off", silent=True, disable_git=True, x_disable_stats=True,
                x_disable_meta=True, save_code=False,
            ),
        )  # fmt: skip
        try:
            run.log(dict(report.metrics), step=report.number)
            self._keep_document(wandb, run, report)
        finally:
            run.finish()

    def _keep_document(self, wandb: Any, run: Any, report: RoundReport) -> None:
        artifact = wandb.Artifact(f"round-{report.number:02}-{report.run}", type="round")
        with TemporaryDirectory() as folder:
            file = Path(folder) / "round.json"
            file.write_text(json.dumps(report.document, ensure_ascii=False, default=str))
            artifact.add_file(str(file))
        run.log_artifact(artifact)


def _library() -> Any:
    try:
        import wandb
    except ImportError:
        raise Refused(
            "Weights & Biases is not installed here. pip install 'argilla-rounds[wandb]'"
        ) from None
    return wandb
