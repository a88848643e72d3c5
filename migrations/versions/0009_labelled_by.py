"""Labels that an LLM gives within a round.

Who labels each item of a batch, and why, is a fact of the round: its route. The LLM labels only
what it has answered and is sure enough of. Where its standing audit shows that it may not be relied
on any more, it is suspended, and only a person ends that. An answer knows the labels that it was
chosen from, so that it can be read after these were edited.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ANSWERS = """
ALTER TABLE llm_answers ADD COLUMN schema_version integer NOT NULL DEFAULT 1;
ALTER TABLE llm_answers ALTER COLUMN schema_version DROP DEFAULT;
ALTER TABLE llm_answers DISABLE TRIGGER append_only;
UPDATE llm_answers a SET schema_version = s.version FROM (
    SELECT b.id, max(l.version) AS version FROM llm_answers b
    JOIN label_schemas l ON l.project_id = b.project_id AND l.created_at <= b.created_at
    GROUP BY b.id) s WHERE s.id = a.id;
ALTER TABLE llm_answers ENABLE TRIGGER append_only;
ALTER TABLE llm_answers ADD CONSTRAINT answers_by_item UNIQUE (id, item_id);

-- as they read in the labels of now; without those whose label is gone
CREATE VIEW llm_answers_now AS
    SELECT a.id, a.project_id, a.item_id, a.call_id, a.purpose, a.confidence, a.rationale,
           a.as_spelled, a.created_at,
           CASE WHEN m.old IS NULL THEN a.value
                ELSE jsonb_set(a.value, '{label}', to_jsonb(m.new)) END AS value
    FROM llm_answers a
    LEFT JOIN label_mappings m ON m.project_id = a.project_id AND m.version = a.schema_version
        AND m.old = a.value->>'label'
    WHERE m.old IS NULL OR m.new IS NOT NULL;
"""

ROUTES = """
CREATE TABLE llm_routes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id     bigint NOT NULL,
    item_id      bigint NOT NULL,
    provider     text NOT NULL CHECK (provider <> ''),
    model        text NOT NULL,
    labelled_by  text NOT NULL CHECK (labelled_by IN ('llm', 'people')),
    why          text NOT NULL CHECK (why ~ '^[a-z_]+$'),
    -- whether it would have labelled the item but for an audit: what the standing audit looks at
    able         boolean NOT NULL,
    answer_id    bigint,
    confidence   double precision CHECK (confidence BETWEEN 0 AND 1),
    threshold    double precision CHECK (threshold BETWEEN 0 AND 1),
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (round_id, item_id),
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) DEFERRABLE,
    FOREIGN KEY (round_id, item_id) REFERENCES selections (round_id, item_id) ON DELETE CASCADE,
    FOREIGN KEY (answer_id, item_id) REFERENCES llm_answers (id, item_id) DEFERRABLE,
    CHECK ((answer_id IS NULL) = (confidence IS NULL)),
    CHECK (labelled_by = 'people' OR able),
    CHECK (NOT able OR (confidence IS NOT NULL AND threshold IS NOT NULL
                        AND confidence >= threshold))
);
CREATE INDEX llm_routes_by_project ON llm_routes (project_id, id);
CREATE INDEX llm_calls_by_round ON llm_calls (round_id) WHERE round_id IS NOT NULL;

CREATE FUNCTION refuse_llm_route_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM selections WHERE item_id = NEW.item_id AND slice = 'audit') THEN
        RAISE EXCEPTION 'item % is in an audit slice: people label it', NEW.item_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audits_are_for_people BEFORE INSERT ON llm_routes
    FOR EACH ROW WHEN (NEW.labelled_by = 'llm')
    EXECUTE FUNCTION refuse_llm_route_of_audit();

CREATE TABLE llm_suspensions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    provider     text NOT NULL CHECK (provider <> ''),
    model        text NOT NULL,
    reason       text NOT NULL CHECK (reason <> ''),
    figures      jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    reopened_at  timestamptz,
    reopened_by  text CHECK (reopened_by <> ''),
    CHECK ((reopened_at IS NULL) = (reopened_by IS NULL))
);
CREATE UNIQUE INDEX suspended_once ON llm_suspensions (project_id, provider, model)
    WHERE reopened_at IS NULL;

CREATE FUNCTION check_suspension_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.reopened_at IS NOT NULL
       OR (NEW.project_id, NEW.provider, NEW.model, NEW.reason, NEW.figures, NEW.created_at)
          IS DISTINCT FROM
          (OLD.project_id, OLD.provider, OLD.model, OLD.reason, OLD.figures, OLD.created_at) THEN
        RAISE EXCEPTION 'suspension % is a fact: it can only be ended, once', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER suspensions_stay BEFORE UPDATE ON llm_suspensions
    FOR EACH ROW EXECUTE FUNCTION check_suspension_change();
"""

JOBS = """
-- long runs of asking, done by workers a few items at a time
CREATE TABLE llm_jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    purpose      text NOT NULL CHECK (purpose IN ('label', 'weak_labels', 'judge')),
    provider     text NOT NULL CHECK (provider <> ''),
    round_id     bigint,
    item_ids     bigint[] NOT NULL CHECK (cardinality(item_ids) > 0),
    done         integer NOT NULL DEFAULT 0 CHECK (done BETWEEN 0 AND cardinality(item_ids)),
    told         jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(told) = 'object'),
    state        text NOT NULL DEFAULT 'running'
                 CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    problem      text,
    attempts     integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL DEFAULT now(),
    actor        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) DEFERRABLE,
    CHECK ((state = 'running') = (ended_at IS NULL)),
    CHECK (state <> 'failed' OR problem IS NOT NULL),
    CHECK (state <> 'done' OR done = cardinality(item_ids))
);
CREATE UNIQUE INDEX one_llm_job ON llm_jobs (project_id) WHERE state = 'running';
CREATE INDEX llm_jobs_due ON llm_jobs (due_at) WHERE state = 'running';
"""

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON llm_routes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON llm_routes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE TRIGGER append_only BEFORE DELETE ON llm_suspensions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON llm_suspensions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""


def upgrade() -> None:
    for part in (ANSWERS, ROUTES, JOBS, APPEND_ONLY):
        op.execute(part)


def downgrade() -> None:
    op.execute("DROP TABLE llm_routes, llm_suspensions, llm_jobs;")
    op.execute("DROP FUNCTION refuse_llm_route_of_audit, check_suspension_change;")
    op.execute("DROP INDEX llm_calls_by_round;")
    op.execute("DROP VIEW llm_answers_now;")
    op.execute("ALTER TABLE llm_answers DROP CONSTRAINT answers_by_item;")
    op.execute("ALTER TABLE llm_answers DROP COLUMN schema_version;")
