"""Auto mode: since when a project's rounds follow each other, or why they stopped. Pools as they
were when something was fitted or chosen, so that it can be made again. Days of grace before a
project is erased."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

AUTO = """
ALTER TABLE projects
    ADD COLUMN auto_since timestamptz,
    ADD COLUMN stopped jsonb CHECK (jsonb_typeof(stopped) = 'object'),
    ADD CONSTRAINT runs_or_stopped CHECK (auto_since IS NULL OR stopped IS NULL);
"""

DELETION = """
ALTER TABLE projects
    ADD COLUMN erase_at timestamptz,
    ADD COLUMN erase_argilla boolean NOT NULL DEFAULT false,
    -- nothing works on a project that will be erased
    ADD CONSTRAINT put_away_before_erased CHECK (erase_at IS NULL OR state = 'archived');
"""

POOLS = """
CREATE TABLE pool_snapshots (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    sha256      text NOT NULL,
    -- ascending ids as compressed differences
    candidates  bytea NOT NULL,
    occupied    bytea NOT NULL,
    label_ids   bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, sha256),
    UNIQUE (id, project_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON pool_snapshots
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON pool_snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
-- none where it was made before this was recorded
ALTER TABLE classifier_versions ADD COLUMN pool_id bigint,
    ADD CONSTRAINT fitted_on_its_own_pool FOREIGN KEY (pool_id, project_id)
        REFERENCES pool_snapshots (id, project_id) DEFERRABLE;
ALTER TABLE rounds ADD COLUMN pool_id bigint,
    ADD CONSTRAINT chose_from_its_own_pool FOREIGN KEY (pool_id, project_id)
        REFERENCES pool_snapshots (id, project_id) DEFERRABLE;
"""


def upgrade() -> None:
    op.execute(AUTO)
    op.execute(DELETION)
    op.execute(POOLS)


def downgrade() -> None:
    op.execute("ALTER TABLE rounds DROP COLUMN pool_id;")
    op.execute("ALTER TABLE classifier_versions DROP COLUMN pool_id;")
    op.execute("DROP TABLE pool_snapshots;")
    op.execute(
        "ALTER TABLE projects DROP COLUMN erase_at, DROP COLUMN erase_argilla, "
        "DROP COLUMN auto_since, DROP COLUMN stopped;"
    )
