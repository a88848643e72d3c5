"""Who did what: every command of a person, in the transaction of its effect. And what pages show.

Actions outlive the project they were about (deleting it is one of them), so they name it and do not
refer to it. Nobody can change or delete one, not even with the project.

Kept figures are what pages show of a project's items: counted once for each state of them, because
counting a million rows takes longer than a page may. Map points are where items lie in the plane
of a round's map, for each version of the features.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE actions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text NOT NULL CHECK (kind ~ '^[a-z_]+[.][a-z_]+$'),
    actor       text NOT NULL CHECK (actor <> ''),
    via         text NOT NULL CHECK (via IN ('api', 'page', 'command line')),
    key_id      bigint REFERENCES api_keys,
    login       text CHECK (login <> ''),
    project_id  bigint,
    project     text,
    round       integer CHECK (round > 0),
    detail      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
    CHECK ((project_id IS NULL) = (project IS NULL)),
    CHECK (round IS NULL OR project IS NOT NULL),
    -- keys act through the service, users of the machine at the command line
    CHECK ((via = 'command line') = (key_id IS NULL)),
    CHECK ((via = 'command line') = (login IS NOT NULL))
);
CREATE INDEX actions_by_project ON actions (project_id, id);

CREATE FUNCTION refuse_any_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON actions
    FOR EACH ROW EXECUTE FUNCTION refuse_any_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_any_change();
"""

KEPT = """
CREATE TABLE kept_figures (
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    name        text NOT NULL CHECK (name ~ '^[a-z_]+$'),
    -- the state they were counted in; in another one they are counted anew
    as_of       text NOT NULL CHECK (as_of <> ''),
    figures     jsonb NOT NULL,
    PRIMARY KEY (project_id, name)
);
"""
MAP = """
CREATE TABLE map_points (
    feature_version_id  bigint NOT NULL REFERENCES feature_versions ON DELETE CASCADE,
    item_id             bigint NOT NULL REFERENCES items ON DELETE CASCADE,
    x                   real NOT NULL CHECK (x > '-Infinity' AND x < 'Infinity'),
    y                   real NOT NULL CHECK (y > '-Infinity' AND y < 'Infinity'),
    sampled             boolean NOT NULL,
    PRIMARY KEY (feature_version_id, item_id)
);
CREATE INDEX map_points_by_item ON map_points (item_id);
"""
TRACKED = """
-- what experiment trackers were told, and why not where they could not be
CREATE TABLE tracked_rounds (
    round_id  bigint NOT NULL REFERENCES rounds ON DELETE CASCADE,
    tracker   text NOT NULL CHECK (tracker ~ '^[a-z_]+$'),
    attempts  integer NOT NULL DEFAULT 1 CHECK (attempts > 0),
    problem   text CHECK (problem <> ''),
    due_at    timestamptz NOT NULL,
    told_at   timestamptz,
    PRIMARY KEY (round_id, tracker),
    CHECK (told_at IS NULL OR problem IS NULL)
);
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(KEPT)
    op.execute(MAP)
    op.execute(TRACKED)


def downgrade() -> None:
    op.execute("DROP TABLE tracked_rounds")
    op.execute("DROP TABLE map_points")
    op.execute("DROP TABLE kept_figures")
    op.execute("DROP TABLE actions")
    op.execute("DROP FUNCTION refuse_any_change")
