"""The loop's tables: projects, items, rounds, facts about them, keys.

Facts (annotations, labels, selections, events, evaluations, classifier versions) are append-only:
triggers refuse UPDATE, DELETE and TRUNCATE on them. The state machine's promises are constraints,
so that no bug above can break them: a held-out item cannot be selected, a project has one open
round, an item is out only once. tests/integration/test_database_rules.py tries to break each.

References between the parts of one project are deferrable, checked at once all the same: only so
can `delete_project` take a whole project away.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROJECTS = """
CREATE TABLE projects (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid             uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    name            text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9_-]{0,58}[a-z0-9])?$'),
    task            jsonb NOT NULL CHECK (task ? 'type' AND task ? 'labels'
                                         AND jsonb_typeof(task->'labels') = 'array'),
    schema_version  integer NOT NULL DEFAULT 1 CHECK (schema_version > 0),
    settings        jsonb NOT NULL,
    state           text NOT NULL DEFAULT 'active'
                    CHECK (state IN ('active', 'paused', 'archived')),
    items_changed_at timestamptz NOT NULL DEFAULT now(),
    collect_after   timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
"""

ITEMS = """
CREATE TABLE items (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id    bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    external_id   text NOT NULL CHECK (external_id <> ''),
    fields        jsonb NOT NULL,
    metadata      jsonb NOT NULL DEFAULT '{}',
    split         text NOT NULL CHECK (split IN ('pool', 'validation', 'test')),
    text_hash     bytea NOT NULL CHECK (octet_length(text_hash) = 16),
    duplicate_of  bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, external_id),
    -- these two also serve the pages and counts of a project
    UNIQUE (project_id, id),
    UNIQUE (project_id, split, id),
    FOREIGN KEY (project_id, duplicate_of) REFERENCES items (project_id, id)
        DEFERRABLE INITIALLY DEFERRED,
    CHECK (duplicate_of IS NULL OR (duplicate_of <> id AND split = 'pool'))
);
CREATE INDEX items_by_text ON items (project_id, text_hash);
CREATE INDEX items_duplicates ON items (duplicate_of) WHERE duplicate_of IS NOT NULL;

CREATE TABLE imports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    source      text,
    report      jsonb NOT NULL,
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX imports_by_project ON imports (project_id, id);
"""

CLASSIFIERS = """
CREATE TABLE feature_versions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    version     text NOT NULL,
    recipe      text NOT NULL,
    items       bigint NOT NULL,
    path        text NOT NULL,
    sha256      text NOT NULL,
    items_as_of timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, version)
);

CREATE TABLE classifier_versions (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id          bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    number              integer NOT NULL CHECK (number > 0),
    name                text NOT NULL,
    fingerprint         text NOT NULL,
    feature_version_id  bigint NOT NULL REFERENCES feature_versions DEFERRABLE,
    labels              integer NOT NULL CHECK (labels > 0),
    seed                bigint NOT NULL,
    path                text NOT NULL,
    sha256              text NOT NULL,
    report              jsonb NOT NULL,
    libraries           jsonb NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, number),
    UNIQUE (project_id, fingerprint)
);
"""

ROUNDS = """
CREATE TABLE rounds (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id        bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    number            integer NOT NULL CHECK (number > 0),
    state             text NOT NULL DEFAULT 'planned' CHECK (state IN (
                          'planned', 'training', 'scoring', 'selecting', 'pushing', 'annotating',
                          'merging', 'evaluating', 'closed', 'failed', 'cancelled')),
    strategy          text NOT NULL,
    classifier        text NOT NULL,
    batch_size        integer NOT NULL CHECK (batch_size > 0),
    seed              bigint NOT NULL,
    settings          jsonb NOT NULL,
    classifier_id     bigint REFERENCES classifier_versions DEFERRABLE,
    result_id         bigint REFERENCES classifier_versions DEFERRABLE,
    dataset_id        bigint,
    checkpoint        jsonb NOT NULL DEFAULT '{}',
    attempts          integer NOT NULL DEFAULT 0,
    failed_in         text,
    error             jsonb,
    cancel_requested  boolean NOT NULL DEFAULT false,
    finish_requested  boolean NOT NULL DEFAULT false,
    lease_owner       text,
    lease_until       timestamptz,
    fence             bigint NOT NULL DEFAULT 0,
    due_at            timestamptz NOT NULL DEFAULT now(),
    actor             text NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    closed_at         timestamptz,
    UNIQUE (project_id, number),
    UNIQUE (id, project_id),
    CHECK ((state = 'failed') = (failed_in IS NOT NULL AND error IS NOT NULL)),
    CHECK ((state IN ('closed', 'cancelled')) = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_round ON rounds (project_id)
    WHERE state NOT IN ('closed', 'cancelled');
CREATE INDEX rounds_due ON rounds (due_at) WHERE state NOT IN ('closed', 'cancelled', 'failed');

CREATE TABLE steps (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    round_id     bigint NOT NULL REFERENCES rounds ON DELETE CASCADE,
    name         text NOT NULL,
    worker       text NOT NULL,
    fence        bigint NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL DEFAULT now(),
    detail       jsonb NOT NULL DEFAULT '{}',
    UNIQUE (round_id, name)
);
"""

SELECTIONS = """
CREATE TABLE selections (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id        bigint NOT NULL,
    round_id          bigint NOT NULL,
    item_id           bigint NOT NULL,
    split             text NOT NULL DEFAULT 'pool' CHECK (split = 'pool'),
    rank              integer NOT NULL CHECK (rank > 0),
    slice             text NOT NULL CHECK (slice IN ('active', 'audit', 'cold_start')),
    strategy          text NOT NULL,
    -- finite: to Postgres NaN is a number like any other, above infinity
    score             double precision NOT NULL CHECK (score > '-Infinity' AND score < 'Infinity'),
    uncertainty       double precision
                      CHECK (uncertainty > '-Infinity' AND uncertainty < 'Infinity'),
    reason            text NOT NULL CHECK (reason <> ''),
    draw_probability  double precision CHECK (draw_probability > 0 AND draw_probability <= 1),
    prediction        jsonb,
    confidence        double precision CHECK (confidence BETWEEN 0 AND 1),
    classifier_id     bigint REFERENCES classifier_versions DEFERRABLE,
    created_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (round_id, item_id),
    UNIQUE (round_id, rank),
    CHECK ((prediction IS NULL) = (classifier_id IS NULL)),
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) ON DELETE CASCADE,
    -- a held-out item cannot be selected, nor a selected item become held-out
    FOREIGN KEY (project_id, split, item_id) REFERENCES items (project_id, split, id) DEFERRABLE,
    UNIQUE (id, project_id, round_id, item_id)
);
CREATE INDEX selections_by_item ON selections (item_id);

-- where a selected item stands: the one part of a selection that changes
CREATE TABLE pushes (
    selection_id  bigint PRIMARY KEY,
    project_id    bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id      bigint NOT NULL REFERENCES rounds ON DELETE CASCADE,
    item_id       bigint NOT NULL,
    state         text NOT NULL DEFAULT 'planned'
                  CHECK (state IN ('planned', 'pushed', 'withdrawn', 'quarantined')),
    record_id     uuid,
    problem       text,
    pushed_at     timestamptz,
    ended_at      timestamptz,
    FOREIGN KEY (selection_id, project_id, round_id, item_id)
        REFERENCES selections (id, project_id, round_id, item_id) ON DELETE CASCADE,
    CHECK (state <> 'pushed' OR (record_id IS NOT NULL AND pushed_at IS NOT NULL)),
    CHECK (state <> 'quarantined' OR problem IS NOT NULL)
);
-- an item is out for annotation at most once, and one that Argilla refuses is not tried for ever
CREATE UNIQUE INDEX one_push_an_item ON pushes (project_id, item_id) WHERE state <> 'withdrawn';
CREATE INDEX pushes_by_round ON pushes (round_id);

CREATE TABLE datasets (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    schema_version  integer NOT NULL,
    dataset_id      uuid NOT NULL UNIQUE,
    annotate_url    text NOT NULL,
    seen_activity   timestamptz,
    collected_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, schema_version)
);
ALTER TABLE rounds ADD FOREIGN KEY (dataset_id) REFERENCES datasets DEFERRABLE;
"""

FACTS = """
CREATE TABLE annotations (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id           bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    item_id              bigint NOT NULL,
    selection_id         bigint REFERENCES selections DEFERRABLE,
    -- where it was given: what vanishes with a dataset was not taken back by anybody
    argilla_dataset_id   uuid NOT NULL,
    response_id          uuid NOT NULL,
    user_id              uuid NOT NULL,
    username             text,
    status               text NOT NULL
                         CHECK (status IN ('submitted', 'draft', 'discarded', 'deleted')),
    "values"             jsonb,
    response_inserted_at timestamptz NOT NULL,
    response_updated_at  timestamptz NOT NULL,
    -- how often the response had vanished before: one that comes back is news again
    sighting             integer NOT NULL DEFAULT 0,
    collected_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (response_id, response_updated_at, status, sighting),
    FOREIGN KEY (project_id, item_id) REFERENCES items (project_id, id) ON DELETE CASCADE,
    CHECK (jsonb_typeof("values") = 'object'),
    CHECK (status <> 'submitted' OR "values" IS NOT NULL)
);
CREATE INDEX annotations_by_item ON annotations (item_id, id);
CREATE INDEX annotations_by_project ON annotations (project_id, id);

-- how each response stands now
CREATE VIEW newest_responses AS
    SELECT a.* FROM annotations a
    WHERE NOT EXISTS (
        SELECT FROM annotations b WHERE b.response_id = a.response_id
        AND (b.sighting, b.response_updated_at, b.status = 'deleted', b.id)
          > (a.sighting, a.response_updated_at, a.status = 'deleted', a.id));

CREATE TABLE labels (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    item_id         bigint NOT NULL,
    value           jsonb CHECK (jsonb_typeof(value) = 'object'),
    source          text NOT NULL CHECK (source ~ '^(import|human|llm:.+)$'),
    round_id        bigint,
    annotation_ids  bigint[] NOT NULL DEFAULT '{}',
    annotators      text[] NOT NULL DEFAULT '{}',
    confidence      double precision CHECK (confidence BETWEEN 0 AND 1),
    supersedes      bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, item_id),
    FOREIGN KEY (project_id, item_id) REFERENCES items (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) DEFERRABLE,
    FOREIGN KEY (supersedes, item_id) REFERENCES labels (id, item_id) DEFERRABLE,
    CHECK (supersedes IS NULL OR supersedes < id),
    CHECK (supersedes IS NOT NULL OR value IS NOT NULL),
    CHECK (source <> 'human' OR value IS NULL OR cardinality(annotation_ids) > 0)
);
-- an item's labels form one chain: one first label, and each superseded once
CREATE UNIQUE INDEX one_first_label ON labels (item_id) WHERE supersedes IS NULL;
CREATE UNIQUE INDEX superseded_once ON labels (supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX labels_by_project ON labels (project_id, id);
CREATE INDEX labels_by_item ON labels (item_id);

-- the end of an item's chain, retracted ones (value NULL) included
CREATE VIEW newest_labels AS
    SELECT l.* FROM labels l
    WHERE NOT EXISTS (SELECT FROM labels s WHERE s.supersedes = l.id);

CREATE VIEW current_labels AS
    SELECT * FROM newest_labels WHERE value IS NOT NULL;

CREATE TABLE training_labels (
    classifier_id  bigint NOT NULL REFERENCES classifier_versions ON DELETE CASCADE,
    label_id       bigint NOT NULL REFERENCES labels DEFERRABLE,
    PRIMARY KEY (classifier_id, label_id)
);

CREATE TABLE evaluations (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id     bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id       bigint NOT NULL REFERENCES rounds ON DELETE CASCADE,
    classifier_id  bigint REFERENCES classifier_versions DEFERRABLE,
    kind           text NOT NULL CHECK (kind ~ '^[a-z_]+$'),
    metrics        jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (round_id, kind)
);

CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id  bigint REFERENCES projects ON DELETE CASCADE,
    round_id    bigint REFERENCES rounds ON DELETE CASCADE,
    kind        text NOT NULL,
    actor       text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_by_project ON events (project_id, id);
"""

ACCESS = """
CREATE TABLE api_keys (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    prefix        text NOT NULL,
    key_hash      bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE UNIQUE INDEX one_live_key_a_name ON api_keys (name) WHERE revoked_at IS NULL;

CREATE TABLE idempotency_keys (
    key_id        bigint NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    key           text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    project_id    bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    request_hash  text NOT NULL,
    round_id      bigint NOT NULL REFERENCES rounds ON DELETE CASCADE,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, key)
);

CREATE TABLE workers (
    name        text PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE secrets (
    name        text PRIMARY KEY,
    value       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
"""

RULES = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- deleting a whole project is the one way out, see delete_project
    IF TG_OP = 'DELETE' AND current_setting('rounds.deleting_project', true) = OLD.project_id::text
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION delete_project(doomed text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    doomed_id bigint;
BEGIN
    SELECT id INTO doomed_id FROM projects WHERE name = doomed FOR UPDATE;
    IF doomed_id IS NULL THEN
        RETURN false;
    END IF;
    SET CONSTRAINTS ALL DEFERRED;
    PERFORM set_config('rounds.deleting_project', doomed_id::text, true);
    DELETE FROM projects WHERE id = doomed_id;
    PERFORM set_config('rounds.deleting_project', '', true);
    INSERT INTO events (kind, actor, detail)
        VALUES ('project.deleted', session_user, jsonb_build_object('name', doomed));
    RETURN true;
END $$;

CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: TRUNCATE refused', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- a label names answers that exist and are about its item
CREATE FUNCTION check_annotations_of_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM annotations a
        WHERE a.id = ANY(NEW.annotation_ids) AND a.item_id = NEW.item_id)
       <> cardinality(NEW.annotation_ids)
    THEN
        RAISE EXCEPTION 'a label of item % names annotations that are not of this item', NEW.item_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER annotations_are_its_own BEFORE INSERT ON labels
    FOR EACH ROW WHEN (cardinality(NEW.annotation_ids) > 0)
    EXECUTE FUNCTION check_annotations_of_label();

CREATE FUNCTION announce_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rounds_events', coalesce(NEW.project_id::text, ''));
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION announce_event();

CREATE FUNCTION announce_due_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state NOT IN ('closed', 'cancelled', 'failed') AND NEW.due_at <= now() THEN
        PERFORM pg_notify('rounds_work', NEW.project_id::text);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE OF due_at, state ON rounds
    FOR EACH ROW EXECUTE FUNCTION announce_due_round();

-- a round moves along its states only; a bug that would make it jump is refused
CREATE FUNCTION check_round_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    path text[] := ARRAY['planned', 'training', 'scoring', 'selecting', 'pushing', 'annotating',
                         'merging', 'evaluating', 'closed'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'planned' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'round % cannot begin as %', NEW.number, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF NEW.state = OLD.state THEN
        RETURN NEW;
    ELSIF OLD.state IN ('closed', 'cancelled') THEN
        NULL;
    ELSIF NEW.state IN ('cancelled', 'failed') THEN
        RETURN NEW;
    ELSIF OLD.state = 'failed' AND NEW.state = OLD.failed_in THEN
        RETURN NEW;
    ELSIF array_position(path, NEW.state) = array_position(path, OLD.state) + 1 THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'round % cannot go from % to %', NEW.number, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER moves BEFORE INSERT OR UPDATE OF state ON rounds
    FOR EACH ROW EXECUTE FUNCTION check_round_move();
"""

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""
FACTS_FOR_EVER = (
    "annotations",
    "labels",
    "selections",
    "events",
    "evaluations",
    "classifier_versions",
)

FUNCTIONS = (
    "delete_project",
    "refuse_change",
    "refuse_truncate",
    "check_annotations_of_label",
    "announce_event",
    "announce_due_round",
    "check_round_move",
)
TABLES = [
    "secrets",
    "workers",
    "idempotency_keys",
    "api_keys",
    "events",
    "evaluations",
    "training_labels",
    "labels",
    "annotations",
    "pushes",
    "selections",
    "steps",
    "rounds",
    "datasets",
    "classifier_versions",
    "feature_versions",
    "imports",
    "items",
    "projects",
]


def upgrade() -> None:
    for part in (PROJECTS, ITEMS, CLASSIFIERS, ROUNDS, SELECTIONS, FACTS, ACCESS, RULES):
        op.execute(part)
    for table in FACTS_FOR_EVER:
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    op.execute("DROP VIEW current_labels; DROP VIEW newest_labels; DROP VIEW newest_responses;")
    op.execute("DROP TABLE " + ", ".join(TABLES) + " CASCADE;")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function};")
