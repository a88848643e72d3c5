"""What was measured of a closed round beside the loop, and who is measuring it.

Measuring takes many fits, so it is work of its own: planned in the transaction that closes the
round, claimed under a lease with a fence like a round, and recorded append-only with what it was
made from. A round may be asked for to measure something (a duel, an audit, doubted labels), and
a project fights one duel, whose verdict is given once.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE measuring (
    round_id     bigint PRIMARY KEY,
    project_id   bigint NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    error        jsonb,
    lease_owner  text,
    lease_until  timestamptz,
    fence        bigint NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    done_at      timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) ON DELETE CASCADE
);
CREATE INDEX measuring_due ON measuring (due_at) WHERE done_at IS NULL;
CREATE INDEX measuring_by_project ON measuring (project_id, round_id) WHERE done_at IS NULL;

CREATE TABLE measurements (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id     bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id       bigint NOT NULL,
    classifier_id  bigint REFERENCES classifier_versions DEFERRABLE,
    kind           text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    -- seeds, counts and the version of the program: what it takes to make it again
    made_from      jsonb NOT NULL CHECK (jsonb_typeof(made_from) = 'object'),
    figures        jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (round_id, kind),
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) ON DELETE CASCADE
);
CREATE INDEX measurements_by_project ON measurements (project_id, kind, round_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON measurements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON measurements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

CREATE FUNCTION check_measured_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM rounds WHERE id = NEW.round_id) <> 'closed' THEN
        RAISE EXCEPTION 'round % is not closed: only a closed round is measured', NEW.round_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER closed_first BEFORE INSERT ON measurements
    FOR EACH ROW EXECUTE FUNCTION check_measured_round();
"""

PURPOSES = """
ALTER TABLE rounds
    ADD COLUMN purpose text NOT NULL DEFAULT 'learning'
        CHECK (purpose IN ('learning', 'audit', 'duel', 'relabel')),
    -- for a relabelling: the items whose label is asked for again
    ADD COLUMN asked bigint[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT asks_again_about_something
        CHECK ((purpose = 'relabel') = (cardinality(asked) > 0));
-- the verdict is given once, at a moment fixed before
CREATE UNIQUE INDEX one_duel ON rounds (project_id)
    WHERE purpose = 'duel' AND state <> 'cancelled';

ALTER TABLE selections DROP CONSTRAINT selections_slice_check,
    ADD CONSTRAINT selections_slice_check
        CHECK (slice IN ('active', 'audit', 'cold_start', 'duel', 'relabel'));
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(PURPOSES)


def downgrade() -> None:
    op.execute("DROP TABLE measurements, measuring; DROP FUNCTION check_measured_round;")
    op.execute("DROP INDEX one_duel;")
    op.execute("ALTER TABLE rounds DROP COLUMN purpose, DROP COLUMN asked;")
    # slices that the older schema has no word for become the nearest that it has
    op.execute(
        "ALTER TABLE selections DISABLE TRIGGER append_only;"
        "UPDATE selections SET slice = 'active' WHERE slice IN ('duel', 'relabel');"
        "ALTER TABLE selections ENABLE TRIGGER append_only;"
        "ALTER TABLE selections DROP CONSTRAINT selections_slice_check,"
        " ADD CONSTRAINT selections_slice_check"
        " CHECK (slice IN ('active', 'audit', 'cold_start'));"
    )
