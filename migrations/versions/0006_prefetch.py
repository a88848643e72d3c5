"""The next batch on its way while answers to the last are still coming: the round that waits for a
selection need not be the one that made it, and what Argilla suggests for it is renewed. And whether
a webhook has called since a round was last taken up, and labels that are to be edited when the open
round is over.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WAITING = """
-- one round waits for a selection: its own, until a later one takes it over
ALTER TABLE pushes ADD COLUMN waits_in bigint;
UPDATE pushes SET waits_in = round_id;
ALTER TABLE pushes ALTER COLUMN waits_in SET NOT NULL,
    ADD CONSTRAINT waits_in_its_project FOREIGN KEY (waits_in, project_id)
        REFERENCES rounds (id, project_id) ON DELETE CASCADE;
CREATE INDEX pushes_by_waiting_round ON pushes (waits_in);
CREATE INDEX pushes_taken_over ON pushes (project_id) WHERE waits_in <> round_id;

CREATE FUNCTION check_waiting_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.waits_in := coalesce(NEW.waits_in, NEW.round_id);
        IF (SELECT number FROM rounds WHERE id = NEW.waits_in)
           < (SELECT number FROM rounds WHERE id = NEW.round_id) THEN
            RAISE EXCEPTION 'an earlier round cannot wait for selection %', NEW.selection_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NEW.waits_in <> OLD.waits_in AND NOT EXISTS (
        SELECT FROM rounds ended JOIN rounds begun ON begun.number > ended.number
        WHERE ended.id = OLD.waits_in AND ended.state = 'closed'
          AND begun.id = NEW.waits_in AND begun.state = 'planned' AND OLD.state = 'pushed') THEN
        RAISE EXCEPTION 'selection % is taken over only from a closed round by the one that begins',
            NEW.selection_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER waits_in_one_round BEFORE INSERT OR UPDATE OF waits_in ON pushes
    FOR EACH ROW EXECUTE FUNCTION check_waiting_round();
"""

REFRESHED = """
-- what a later classifier suggested in place of the one that chose; never for an audit item
ALTER TABLE selections ADD CONSTRAINT selection_in_its_slice UNIQUE (id, project_id, slice);
CREATE TABLE refreshed_suggestions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id     bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    selection_id   bigint NOT NULL,
    slice          text NOT NULL CHECK (slice <> 'audit'),
    classifier_id  bigint NOT NULL REFERENCES classifier_versions DEFERRABLE,
    prediction     jsonb NOT NULL CHECK (jsonb_typeof(prediction) = 'object'),
    confidence     double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    uncertainty    double precision NOT NULL
                   CHECK (uncertainty > '-Infinity' AND uncertainty < 'Infinity'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (selection_id, project_id, slice)
        REFERENCES selections (id, project_id, slice) DEFERRABLE
);
CREATE INDEX refreshed_suggestions_by_selection ON refreshed_suggestions (selection_id, id);
CREATE INDEX refreshed_suggestions_by_project ON refreshed_suggestions (project_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON refreshed_suggestions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON refreshed_suggestions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""


LABEL_EDIT = """
ALTER TABLE projects ADD COLUMN label_edit jsonb CHECK (jsonb_typeof(label_edit) = 'object');
-- it is carried out by whatever ends the open round
CREATE FUNCTION check_label_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rounds WHERE project_id = NEW.id
                   AND state NOT IN ('closed', 'cancelled')) THEN
        RAISE EXCEPTION 'no round of project % is open: an edit of its labels cannot wait', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER edits_wait_for_a_round BEFORE INSERT OR UPDATE OF label_edit ON projects
    FOR EACH ROW WHEN (NEW.label_edit IS NOT NULL) EXECUTE FUNCTION check_label_edit();
"""
HASTENED = "ALTER TABLE rounds ADD COLUMN hastened boolean NOT NULL DEFAULT false;"


def upgrade() -> None:
    op.execute(WAITING)
    op.execute(REFRESHED)
    op.execute(HASTENED)
    op.execute(LABEL_EDIT)


def downgrade() -> None:
    op.execute("DROP TRIGGER edits_wait_for_a_round ON projects; DROP FUNCTION check_label_edit;")
    op.execute("ALTER TABLE projects DROP COLUMN label_edit;")
    op.execute("ALTER TABLE rounds DROP COLUMN hastened;")
    op.execute("DROP TABLE refreshed_suggestions;")
    op.execute("ALTER TABLE selections DROP CONSTRAINT selection_in_its_slice;")
    op.execute("DROP TRIGGER waits_in_one_round ON pushes; DROP FUNCTION check_waiting_round;")
    op.execute("ALTER TABLE pushes DROP COLUMN waits_in;")
