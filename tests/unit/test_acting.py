"""Who acts: commands that people give carry who they are."""

import re
from pathlib import Path

import app
from app.rounds import deeds

APP = Path(app.__file__).parent


def test_routes_pages_and_commands_say_who_acts_not_only_a_name():
    """A name alone as `actor` would leave the command out of the audit log."""
    good = re.compile(r"actor=(acting\(caller\)|(visit\.)?session\.actor|actor\(\)|actor$)")
    for part in ("api", "web", "cli"):
        for file in sorted((APP / part).rglob("*.py")):
            for given in re.findall(r"actor=[^,)\n]*\)?", file.read_text()):
                assert good.match(given), f"{file.name}: {given}"


def test_a_deed_nobody_has_put_into_words_is_still_readable():
    action = {"kind": "coffee.made_for_all", "round": None, "detail": {}}
    assert deeds.told(action) == "coffee: made for all"
