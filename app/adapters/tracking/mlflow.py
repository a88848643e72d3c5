"""MLflow: an experiment a project, a run in it, a step a round. Needs rounds[mlflow]."""

import os
from functools import cached_property
from typing import Any

from app.core.errors import Refused
from app.ports.tracker import RoundReport

TAG = "rounds.run"


class MlflowTracker:
    name = "mlflow"

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def tell(self, report: RoundReport) -> None:
        run = self._run(report)
        told = {one.step for one in self._client.get_metric_history(run, "round")}
        if report.number not in told:
            # `round` last: it says that all the others of this step are there
            for key, value in [*report.metrics.items(), ("round", float(report.number))]:
                self._client.log_metric(run, key, value, step=report.number)
        self._client.log_dict(run, dict(report.document), f"rounds/round_{report.number:02}.json")

    def _run(self, report: RoundReport) -> str:
        """The project's run, begun if this is the first round that is told."""
        experiment = self._experiment(report.project)
        found = self._client.search_runs([experiment], f"tags.`{TAG}` = '{report.run}'")
        if found:
            return str(found[0].info.run_id)
        made = self._client.create_run(experiment, tags={TAG: report.run}, run_name=report.project)
        for key, value in report.config.items():
            self._client.log_param(made.info.run_id, key, value)
        return str(made.info.run_id)

    def _experiment(self, project: str) -> str:
        name = f"rounds/{project}"
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    @cached_property
    def _client(self) -> Any:
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise Refused(
                "MLflow is not installed here. pip install 'argilla-rounds[mlflow]'"
            ) from None
        if self._uri.startswith("file:"):
            # files are what needs no server; newer versions want to hear that one means it
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        return MlflowClient(tracking_uri=self._uri)
