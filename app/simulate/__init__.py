"""Experiments on labelled data, on the same core that runs projects.

from app.simulate import Experiment, run, table
result = run(Experiment(data="digits", strategy="default,random", repeats=5))
for row in table(result.experiment, result.runs):
    print(row.strategy, row.labels_to_target, row.saved_vs_random)
"""

from app.simulate import plots
from app.simulate.experiment import Experiment
from app.simulate.oracles import Oracle, OracleFactory, Question
from app.simulate.results import Run, RunKey
from app.simulate.running import Result, run
from app.simulate.table import Row, agreements, table
from app.simulate.words import cautions, verdicts

__all__ = [
    "Experiment",
    "Oracle",
    "OracleFactory",
    "Question",
    "Result",
    "Row",
    "Run",
    "RunKey",
    "agreements",
    "cautions",
    "plots",
    "run",
    "table",
    "verdicts",
]
