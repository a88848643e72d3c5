"""Annotators and how far they agree."""

from typing import Any

from app.bootstrap import build
from app.cli.output import AsJson, console, friendly, print_json, print_table
from app.cli.projects import Name
from app.rounds import sentences
from app.settings import read_settings
from app.shown import annotators as shown_annotators


@friendly
def annotators(name: Name, as_json: bool = AsJson) -> None:
    """Who has answered how much and how fast, and how far people agree."""
    found = shown_annotators.read(build(read_settings()).store, name).model_dump(mode="json")
    if as_json:
        print_json(found)
        return
    console.print(sentences.of_agreement(found), style="bold")
    print_table(
        ["annotator", "answers", "an hour", "with others", "with label", "takes most often"],
        [
            [
                one["name"],
                one["answers"],
                one["pace"]["per_hour"],
                one["with_others"]["value"],
                one["with_label"]["value"],
                _mistake(one["confusion"]),
            ]
            for one in found["annotators"]
        ],
        empty="Nobody has answered yet.",
    )
    if found["pairs"]:
        print_table(
            ["two annotators", "", "items", "same", "Cohen's kappa"],
            [
                [one["first"], one["second"], one["kappa"]["items"], one["same"],
                 one["kappa"]["value"]]
                for one in found["pairs"]
            ],
            empty="",
        )  # fmt: skip


def _mistake(confusion: list[dict[str, Any]]) -> str | None:
    if not confusion:
        return None
    most = confusion[0]
    return f"{most['label']} for {most['said']} ({most['count']})"
