"""How often something has changed of which pages keep figures: a counter that nobody waits for.

Every transaction counts its changes in a row of its own, and the count is the sum of the rows that
can be seen. So writers hold each other up no more than before, a change and its count become
visible together, and a figure that names the count at which it was made is never taken for a newer
one. Triggers count, so no program can forget to. Rows of the past are added up by whoever keeps a
figure.

What a round's batch has come to is kept round by round: an answer of today makes no other round be
counted again.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHANGES = """
CREATE TABLE changes (
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    what        text NOT NULL CHECK (what IN ('answers', 'labels', 'batches', 'calls', 'round')),
    -- no reference: it would wait for whoever works on the round
    round_id    bigint,
    xact        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    times       bigint NOT NULL DEFAULT 1 CHECK (times > 0),
    UNIQUE NULLS NOT DISTINCT (project_id, what, round_id, xact),
    CHECK ((what = 'round') = (round_id IS NOT NULL))
);

CREATE FUNCTION count_change(project bigint, of_what text, rounds bigint[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO changes (project_id, what, round_id)
    SELECT project, of_what, NULL
    UNION ALL SELECT project, 'round', one FROM unnest(rounds) one
    ON CONFLICT (project_id, what, round_id, xact) DO UPDATE SET times = changes.times + 1;
$$;
"""

# the name of each function, and what it selects from the rows that changed
COUNTED = {
    # an item may have been in several batches, and another round may wait for it
    "answers_of_items": """
        SELECT c.project_id, 'answers' AS what,
               array_agg(DISTINCT w.round_id) FILTER (WHERE w.round_id IS NOT NULL) AS rounds
        FROM changed c LEFT JOIN selections s ON s.item_id = c.item_id
        LEFT JOIN pushes p ON p.selection_id = s.id
        LEFT JOIN LATERAL (VALUES (p.round_id), (p.waits_in)) w (round_id) ON true
        GROUP BY c.project_id""",
    # another meaning of old answers
    "answers_of_project": """
        SELECT c.project_id, 'answers' AS what, array_agg(DISTINCT r.id) AS rounds
        FROM changed c JOIN rounds r ON r.project_id = c.project_id GROUP BY c.project_id""",
    "labels": """
        SELECT project_id, 'labels' AS what,
               array_agg(DISTINCT round_id) FILTER (WHERE round_id IS NOT NULL) AS rounds
        FROM changed GROUP BY project_id""",
    # every round from the one that made the batch to the one that waits for it tells of it
    "batches": """
        SELECT c.project_id, 'batches' AS what, array_agg(DISTINCT r.id) AS rounds
        FROM changed c JOIN rounds made ON made.id = c.round_id
        JOIN rounds waits ON waits.id = c.waits_in
        JOIN rounds r ON r.project_id = c.project_id
            AND r.number BETWEEN made.number AND waits.number
        GROUP BY c.project_id""",
    "routes": """
        SELECT project_id, 'batches' AS what, array_agg(DISTINCT round_id) AS rounds
        FROM changed GROUP BY project_id""",
    "calls": """
        SELECT project_id, 'calls' AS what,
               array_agg(DISTINCT round_id) FILTER (WHERE round_id IS NOT NULL) AS rounds
        FROM changed GROUP BY project_id""",
}
FUNCTION = """
CREATE FUNCTION count_changed_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_change(found.project_id, found.what, found.rounds) FROM ({found}) found;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER count_{event} AFTER {event} ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_{name}();
"""
TRIGGERS = (
    ("annotations", "insert", "answers_of_items"),
    ("disputes", "insert", "answers_of_items"),
    ("disputes", "update", "answers_of_items"),
    ("label_mappings", "insert", "answers_of_project"),
    ("label_mappings", "update", "answers_of_project"),
    ("labels", "insert", "labels"),
    ("pushes", "insert", "batches"),
    ("pushes", "update", "batches"),
    ("llm_routes", "insert", "routes"),
    ("llm_calls", "insert", "calls"),
)

KEPT = """
-- they name states as the program before did
TRUNCATE kept_figures;
ALTER TABLE kept_figures ADD COLUMN round_id bigint,
    DROP CONSTRAINT kept_figures_pkey,
    ADD CONSTRAINT kept_once UNIQUE NULLS NOT DISTINCT (project_id, name, round_id);
"""
# what every look asks for among thousands: the points that each round's map shows, what is lost
INDEXES = """
CREATE INDEX map_points_sampled ON map_points (feature_version_id) WHERE sampled;
CREATE INDEX pushes_lost ON pushes (project_id) WHERE state = 'lost';
"""


def upgrade() -> None:
    op.execute(CHANGES)
    for name, found in COUNTED.items():
        op.execute(FUNCTION.format(name=name, found=found))
    for table, event, name in TRIGGERS:
        op.execute(TRIGGER.format(table=table, event=event, name=name))
    op.execute(KEPT)
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("DROP INDEX map_points_sampled, pushes_lost;")
    op.execute(
        "TRUNCATE kept_figures;"
        "ALTER TABLE kept_figures DROP CONSTRAINT kept_once;"
        "ALTER TABLE kept_figures DROP COLUMN round_id, ADD PRIMARY KEY (project_id, name);"
    )
    for table, event, _ in TRIGGERS:
        op.execute(f"DROP TRIGGER count_{event} ON {table};")
    for name in COUNTED:
        op.execute(f"DROP FUNCTION count_changed_{name};")
    op.execute("DROP FUNCTION count_change; DROP TABLE changes;")
