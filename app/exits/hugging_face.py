"""A folder that `datasets.load_dataset` reads, with a card that says where the labels come from."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.core.entities import Project
from app.core.tasks import task_type
from app.exits.files import OutFile
from app.exits.labels import as_parquet, split_of
from app.exits.notes import safe
from app.exits.rounds import rounds_of
from app.ports.store import Transaction

SPLITS = {"pool": "train", "validation": "validation", "test": "test"}
HEAD = """---
pretty_name: {name}
task_categories:
- text-classification
tags:
- active-learning
- argilla
configs:
- config_name: default
  data_files:
{files}
---
# {title}

{labelled:,} labelled texts of the project *{title}*, made with Rounds: people labelled in Argilla
what a strategy had chosen, round by round.

| split | labels | what it is |
|---|---|---|
{splits}

Labels: {labels}.

## How the labels came about

{sources}

{rounds}

**The train split is no random sample.** Its items were chosen because they were expected to teach
a classifier most. Rows whose `slice` is `audit` were drawn at random from what was unlabelled
then, with the probability in `draw_probability`: use those for estimates.

Each row says where its label comes from: `source`, `annotators`, `round`, `rank`, `slice`,
`strategy`, `score`, `reason` (why it was chosen), `classifier_version` (what chose it), `label_id`
and `supersedes` (the label it replaced). A column of the data named like one of these keeps its
name, and ours is then called `label_…`.
"""
WHAT = {
    "train": "from the pool",
    "validation": "held out: never selectable",
    "test": "held out: never selectable",
}


def hugging_face_files(tx: Transaction, project: Project) -> Iterator[OutFile]:
    counted = Counter[str]()
    sources = Counter[str]()
    for row in tx.views.export(project.id):
        counted[split_of(row)] += 1
        sources[row["source"]] += 1
    splits = [name for name in SPLITS.values() if counted[name]]
    rounds = list(rounds_of(tx, project))
    yield OutFile("README.md", [_card(project, splits, counted, sources, rounds).encode()])
    answer = task_type(project.task).gold_columns()[0]
    for name in splits:
        rows = (row for row in tx.views.export(project.id) if split_of(row) == name)
        yield OutFile(f"data/{name}.parquet", as_parquet(rows, project.settings.fields, answer))


def _card(
    project: Project,
    splits: Iterable[str],
    counted: Mapping[str, int],
    sources: Mapping[str, int],
    rounds: list[Mapping[str, Any]],
) -> str:
    files = [f"  - split: {name}\n    path: data/{name}.parquet" for name in splits]
    rows = [f"| {name} | {counted[name]:,} | {WHAT[name]} |" for name in splits]
    said = [f"- {count:,} by {_said(source)}" for source, count in sorted(sources.items())]
    return HEAD.format(
        name=json.dumps(project.name),
        title=project.name,
        files="\n".join(files) or "  []",
        labelled=sum(counted.values()),
        splits="\n".join(rows),
        labels=", ".join(safe(label) for label in project.task.labels),
        sources="\n".join(said) or "There is no label yet.",
        rounds=_rounds(rounds),
    )


def _said(source: str) -> str:
    return {"human": "annotators", "import": "the imported data"}.get(source, safe(source))


def _rounds(rounds: list[Mapping[str, Any]]) -> str:
    if not rounds:
        return "No round has been played."
    lines = [
        f"| {one['number']} | {one['state']} | "
        f"{one['checkpoint'].get('strategy_used', one['strategy'])} | {one['counts']['labelled']} "
        f"| {one['classifier_version'] or '–'} | {_accuracy(one)} |"
        for one in rounds
    ]
    head = (
        "| round | state | strategy | labels | classifier | accuracy |\n|---|---|---|---|---|---|"
    )
    return "\n".join([head, *lines])


def _accuracy(view: Mapping[str, Any]) -> str:
    return f"{view['metrics']['accuracy']:.1%}" if view["metrics"] else "–"
