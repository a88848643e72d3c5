"""What a look into Argilla finds missing: lost records, annotators who are gone, a sick dataset.

A lost record is one that somebody deleted in Argilla. Nothing is undone by it: answers given before
stand, and what nobody had answered returns to the pool when its round goes on.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VIEW = """
CREATE OR REPLACE VIEW newest_responses AS
    SELECT a.* FROM annotations a
    WHERE NOT EXISTS (
        SELECT FROM annotations b WHERE b.response_id = a.response_id
        AND (b.sighting, b.response_updated_at, b.status = 'deleted', b.id)
          > (a.sighting, a.response_updated_at, a.status = 'deleted', a.id));
"""

UP = """
ALTER TABLE pushes DROP CONSTRAINT pushes_state_check;
ALTER TABLE pushes ADD CONSTRAINT pushes_state_check
    CHECK (state IN ('planned', 'pushed', 'withdrawn', 'quarantined', 'lost'));
ALTER TABLE pushes ADD CONSTRAINT lost_for_a_reason
    CHECK (state <> 'lost' OR (problem IS NOT NULL AND ended_at IS NOT NULL));

ALTER TABLE datasets
    -- the activity as of the last look at every record; collected_at is the time of that look
    ADD COLUMN seen_whole    timestamptz,
    ADD COLUMN problem       text,
    ADD COLUMN problem_since timestamptz,
    ADD CONSTRAINT problem_has_a_time CHECK ((problem IS NULL) = (problem_since IS NULL));

-- an answer to a record that is there no more was not taken back by whoever gave it
ALTER TABLE annotations ADD COLUMN record_id uuid;

ALTER TABLE rounds ADD COLUMN repair_requested boolean NOT NULL DEFAULT false;

-- annotators whose answers vanished because their account did; the answers stand
CREATE TABLE gone_annotators (
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id     uuid NOT NULL,
    noticed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, user_id)
);
"""

DOWN = """
DROP TABLE gone_annotators;
ALTER TABLE rounds DROP COLUMN repair_requested;
DROP VIEW newest_responses;
ALTER TABLE annotations DROP COLUMN record_id;

ALTER TABLE datasets DROP COLUMN problem, DROP COLUMN problem_since, DROP COLUMN seen_whole;
-- to the older program a lost record is one taken back
UPDATE pushes SET state = 'withdrawn' WHERE state = 'lost';
ALTER TABLE pushes DROP CONSTRAINT lost_for_a_reason;
ALTER TABLE pushes DROP CONSTRAINT pushes_state_check;
ALTER TABLE pushes ADD CONSTRAINT pushes_state_check
    CHECK (state IN ('planned', 'pushed', 'withdrawn', 'quarantined'));
"""


def upgrade() -> None:
    op.execute(UP)
    op.execute(VIEW)


def downgrade() -> None:
    op.execute(DOWN)
    op.execute(VIEW)
