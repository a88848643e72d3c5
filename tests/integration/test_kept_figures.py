"""Pages show figures that were counted once; whatever changes them shows at the next look."""

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core.entities import NewLabel, RoundState
from app.main import create_app
from app.rounds import commands
from app.rounds.relabelling import edit_labels
from app.shown import annotators, estimates
from app.shown import rounds as shown_rounds
from bench.pages import addresses_of, write_rows
from tests.browsing import log_in
from tests.factories import all_rows, import_rows, items, make_project, make_store
from tests.played import PlayedProject
from tests.serving import bearer, make_key, make_parts, wait_until

pytestmark = pytest.mark.postgres
MOST_ROWS_A_ROUND = 25
"""So many more rows may a page read for one more round, of 50 items and 100 answers."""
AS_IF_LARGE = "SET enable_seqscan = off"
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


@pytest.fixture
def played(store, tmp_path):
    shop = PlayedProject(store, tmp_path, count=100, batch_size=6, audit_fraction=0)
    for _ in range(2):
        shop.play(shop.start())
    return shop


def shown(shop, number=1):
    """What pages say of a round, of the annotators and of the money, as plain values."""
    store = shop.store
    with store.transaction() as tx:
        counts = tx.items.counts(shop.project.id)
        classes = tx.figures.classes(shop.project.id)
    return {
        "round": shown_rounds.read(store, "shop", number).model_dump(),
        "rounds": [one.counts.model_dump() for one in shown_rounds.read_all(store, "shop")],
        "annotators": annotators.read(store, "shop").model_dump(),
        "money": estimates.ledger_of(store, "shop").model_dump(),
        "classes": [dict(one) for one in classes],
        "counts": counts,
    }


def counted_anew(shop, number=1):
    """The same with nothing kept."""
    with shop.store.transaction() as tx:
        tx.sql.run("DELETE FROM kept_figures")
    return shown(shop, number)


# --- never stale ---


def test_late_answers_edits_and_imports_show_at_the_next_look(played):
    first, second, third = (one.item.id for one in played.out(1)[:3])
    tool = played.tool
    changes = {
        "somebody else answers late": lambda: tool.answer(
            f"item-{first}", "praise", by="annotator-2"
        ),
        "an answer is edited": lambda: tool.answer(f"item-{second}", "praise"),
        "and again": lambda: tool.answer(f"item-{second}", "refund"),
        "an answer is taken back": lambda: tool.delete_answer(f"item-{third}"),
        "labels are imported": lambda: import_rows(played.store, items(5, label="praise")),
        "labels are renamed": lambda: rename(played, "praise", "thanks"),
        "a round is cancelled": lambda: cancel(played),
    }
    for name, change in changes.items():
        before = shown(played)
        assert shown(played) == before
        change()
        played.tick()
        now = shown(played)
        assert now != before, name
        assert now == counted_anew(played), name


def rename(played, old, new):
    mapping = {one: new if one == old else one for one in played.project.task.labels}
    edit_labels(played.store, "shop", list(mapping.values()), mapping, actor="test")


def cancel(played):
    number = played.start()
    commands.cancel_round(played.store, "shop", number, actor="test")


def test_what_a_round_leaves_to_the_next_shows_in_both(store, tmp_path):
    played = PlayedProject(store, tmp_path, count=100, batch_size=6, prefetch=2, audit_fraction=0)
    number = commands.start_round(store, "shop", actor="test", auto=True).number
    played.run_until(number, RoundState.ANNOTATING)
    played.answer(number, skip=2)
    played.run_until(number, RoundState.CLOSED)
    played.run_until(number + 1, RoundState.ANNOTATING)
    now = shown(played, number + 1)
    assert [one["handed_on"] for one in now["rounds"]] == [2, 0]
    assert now["round"]["taken_over"] == {"items": 2, "waiting": 2}
    played.answer(number)
    played.tick()
    now = shown(played, number + 1)
    assert now["round"]["taken_over"] == {"items": 2, "waiting": 0}
    assert [one["answered"] for one in now["rounds"]] == [6, 0]


def label(store, item):
    with store.transaction() as tx:
        project = tx.projects.by_name("shop").id
        tx.labels.add(project, [NewLabel(item, {"label": "praise"}, "import")])


def labelled(tx, project):
    return tx.items.counts(project.id).labelled


def test_a_change_that_is_not_yet_committed_is_not_taken_for_counted(store):
    project = make_project(store)
    import_rows(store, items(3))
    first, second, third = (row["id"] for row in all_rows(store, "SELECT id FROM items"))
    look = [NewLabel(one, {"label": "praise"}, "import") for one in (first, second, third)]
    with store.transaction() as writer:
        writer.labels.add(project.id, look[:1])
        with store.transaction() as reader:
            assert labelled(reader, project) == 0
        assert labelled(writer, project) == 1
        writer.labels.add(project.id, look[1:2])
        assert labelled(writer, project) == 2
    with store.transaction() as other:
        other.labels.add(project.id, look[2:])
        with store.transaction() as reader:
            assert labelled(reader, project) == 2
    with store.transaction() as reader:
        assert labelled(reader, project) == 3


def test_what_is_rolled_back_is_forgotten(store):
    project = make_project(store)
    import_rows(store, items(2))
    item = all_rows(store, "SELECT id FROM items")[0]["id"]
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.labels.add(project.id, [NewLabel(item, {"label": "praise"}, "import")])
        assert labelled(tx, project) == 1
        raise ZeroDivisionError
    with store.transaction() as tx:
        assert labelled(tx, project) == 0


def test_rows_of_past_changes_are_added_up(store):
    project = make_project(store)
    import_rows(store, items(60))
    for row in all_rows(store, "SELECT id FROM items"):
        with store.transaction() as tx:
            tx.labels.add(project.id, [NewLabel(row["id"], {"label": "praise"}, "import")])
    assert len(all_rows(store, "SELECT FROM changes WHERE what = 'labels'")) == 60
    with store.transaction() as tx:
        assert labelled(tx, project) == 60
    assert all_rows(store, "SELECT times FROM changes WHERE what = 'labels'") == [{"times": 60}]


# --- what a look costs ---


def test_a_page_reads_no_more_where_there_is_more(postgres, _migrated_template):
    """Not measured in time: in rows of tables that Postgres has read for it."""
    few = rows_read(postgres, _migrated_template, items=5_200, rounds=20)
    many = rows_read(postgres, _migrated_template, items=12_000, rounds=60)
    more = {address: many[address] - few[address] for address in few}
    assert {one: rows for one, rows in more.items() if rows > 40 * MOST_ROWS_A_ROUND} == {}


def rows_read(postgres, template, *, items, rounds):
    """By address; figures that are kept have been counted."""
    with postgres.database(template=template) as url:
        store = make_store(url)
        write_rows(store, items, rounds)
        with store.engine.begin() as connection:
            # small tables are read from end to end, as large ones never are
            connection.execute(text(f"ALTER DATABASE {store.engine.url.database} {AS_IF_LARGE}"))
        with TestClient(create_app(make_parts(store)), follow_redirects=False) as client:
            log_in(client, store, "admin")
            client.headers |= bearer(make_key(store, "admin", "other")[1])
            for address in addresses_of(20) * 2:
                assert client.get(address).status_code == 200
            return dict(each_read(store, url, client))


def each_read(store, url, client):
    before = rows_read_by_now(store, url)
    for address in addresses_of(20):
        client.get(address)
        after = rows_read_by_now(store, url)
        yield address, int(after - before)
        before = after


def rows_read_by_now(store, url):
    """Of tables and indexes. Postgres knows for certain once nobody else is connected."""
    store.engine.dispose()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:

        def value(statement):
            return connection.execute(statement).fetchone()[0]

        wait_until(
            lambda: (
                value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                == 1
            )
        )
        return value(
            "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)"
            " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)"
        )
