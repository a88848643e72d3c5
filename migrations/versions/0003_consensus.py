"""Items on which annotators disagree, and how many answers an item needs.

A dispute is opened when answers come to nothing and ended when somebody's further answer decides,
or when nobody is left to ask. An item has at most one at a time. Disputed items are shown in an
Argilla dataset of their own, because there the number of answers that completes a record holds for
a whole dataset; so a project and label-schema version can have two.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ANSWERS_NEEDED = """
CREATE FUNCTION answers_needed(settings jsonb, slice text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN slice = 'audit'
           THEN coalesce((settings->>'audit_overlap')::integer, (settings->>'overlap')::integer, 1)
           ELSE coalesce((settings->>'overlap')::integer, 1) END
$$;
"""

DATASETS = """
ALTER TABLE datasets ADD COLUMN purpose text NOT NULL DEFAULT 'annotation'
    CHECK (purpose IN ('annotation', 'disputes'));
ALTER TABLE datasets DROP CONSTRAINT datasets_project_id_schema_version_key;
ALTER TABLE datasets ADD CONSTRAINT one_dataset_a_purpose
    UNIQUE (project_id, schema_version, purpose);
"""

DISPUTES = """
CREATE TABLE disputes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id    bigint NOT NULL,
    item_id     bigint NOT NULL,
    agreement   double precision NOT NULL CHECK (agreement BETWEEN 0 AND 1),
    record_id   uuid,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    outcome     text CHECK (outcome IN ('decided', 'undecided')),
    FOREIGN KEY (round_id, item_id) REFERENCES selections (round_id, item_id) ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX one_open_dispute ON disputes (item_id) WHERE ended_at IS NULL;
CREATE INDEX disputes_by_round ON disputes (round_id);
CREATE INDEX disputes_by_project ON disputes (project_id) WHERE ended_at IS NULL;

CREATE FUNCTION check_dispute_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'the dispute about item % has ended: its outcome stays', OLD.item_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ended_disputes_stay BEFORE UPDATE ON disputes
    FOR EACH ROW EXECUTE FUNCTION check_dispute_change();
"""


def upgrade() -> None:
    for part in (ANSWERS_NEEDED, DATASETS, DISPUTES):
        op.execute(part)


def downgrade() -> None:
    op.execute("DROP TABLE disputes; DROP FUNCTION check_dispute_change;")
    op.execute(
        "DELETE FROM datasets WHERE purpose = 'disputes';"
        "ALTER TABLE datasets DROP CONSTRAINT one_dataset_a_purpose;"
        "ALTER TABLE datasets DROP COLUMN purpose;"
        "ALTER TABLE datasets ADD CONSTRAINT datasets_project_id_schema_version_key"
        " UNIQUE (project_id, schema_version);"
    )
    op.execute("DROP FUNCTION answers_needed;")
