"""Auto mode: since when a project's rounds follow each other, or why they stopped. Pools as they
were when something was fitted or chosen, so that it can be made again. Days of grace before a
project is erased. Versions of a project's labels, and what old answers mean in the newest."""

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

SCHEMAS = """
ALTER TABLE rounds ADD COLUMN schema_version integer NOT NULL DEFAULT 1
    CHECK (schema_version > 0);
ALTER TABLE annotations ADD COLUMN schema_version integer NOT NULL DEFAULT 1
    CHECK (schema_version > 0);

CREATE TABLE label_schemas (
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    version     integer NOT NULL CHECK (version > 0),
    labels      jsonb NOT NULL CHECK (jsonb_typeof(labels) = 'array'),
    -- from the labels of the version before
    mapping     jsonb NOT NULL CHECK (jsonb_typeof(mapping) = 'object'),
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON label_schemas
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON label_schemas
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- from the labels of an old version to those of now; follows from label_schemas
CREATE TABLE label_mappings (
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    version     integer NOT NULL,
    old         text NOT NULL,
    new         text,
    PRIMARY KEY (project_id, version, old)
);
"""

VIEW = """
CREATE OR REPLACE VIEW newest_responses AS
    SELECT a.id, a.project_id, a.item_id, a.selection_id, a.argilla_dataset_id, a.response_id,
           a.user_id, a.username, a.status, {values} AS "values", a.response_inserted_at,
           a.response_updated_at, a.sighting, a.collected_at, a.record_id
    FROM annotations a {mapped}
    WHERE NOT EXISTS (
        SELECT FROM annotations b WHERE b.response_id = a.response_id
        AND (b.sighting, b.response_updated_at, b.status = 'deleted', b.id)
          > (a.sighting, a.response_updated_at, a.status = 'deleted', a.id))
"""
PLAIN_VIEW = VIEW.format(values='a."values"', mapped="")
# an answer given by older labels is read by those of now; one that means none of them is none
MAPPED_VIEW = VIEW.format(
    values="""CASE WHEN m.new IS NULL THEN a."values"
                   ELSE jsonb_set(a."values", '{label}', to_jsonb(m.new)) END""",
    mapped="""
    LEFT JOIN label_mappings m ON m.project_id = a.project_id AND m.version = a.schema_version
        AND m.old = a."values"->>'label' AND a.status = 'submitted'""",
)
MAPPED_VIEW += " AND (m.old IS NULL OR m.new IS NOT NULL)"


def upgrade() -> None:
    op.execute(AUTO)
    op.execute(DELETION)
    op.execute(POOLS)
    op.execute(SCHEMAS)
    op.execute(MAPPED_VIEW)


def downgrade() -> None:
    op.execute(PLAIN_VIEW)
    op.execute("DROP TABLE label_mappings, label_schemas;")
    op.execute("ALTER TABLE annotations DROP COLUMN schema_version;")
    op.execute("ALTER TABLE rounds DROP COLUMN schema_version;")
    op.execute("ALTER TABLE rounds DROP COLUMN pool_id;")
    op.execute("ALTER TABLE classifier_versions DROP COLUMN pool_id;")
    op.execute("DROP TABLE pool_snapshots;")
    op.execute(
        "ALTER TABLE projects DROP COLUMN erase_at, DROP COLUMN erase_argilla, "
        "DROP COLUMN auto_since, DROP COLUMN stopped;"
    )
