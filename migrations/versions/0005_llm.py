"""What LLMs are asked, what they answer, what it costs, and what they judge.

Every call is booked once, append-only. Reservations are the money set aside for calls that are
running; they are the only thing here that goes away. An answered call is what an equal question is
answered from later, so a failure can never be: there is no answer in it. Judged figures stand in a
table of their own, where nothing that reads evaluations can meet them; and an LLM's label can stand
on no item that people's answers measure with: none of a held-out split, none of an audit slice.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE llm_calls (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id     bigint,
    purpose      text NOT NULL
                 CHECK (purpose IN ('label', 'select', 'uncertainty', 'weak_labels', 'judge')),
    provider     text NOT NULL CHECK (provider <> ''),
    model        text NOT NULL,
    prompt       text NOT NULL CHECK (prompt ~ '^[a-z_]+[.]v[0-9]+$'),
    fingerprint  bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    item_ids     bigint[] NOT NULL DEFAULT '{}',
    outcome      text NOT NULL
                 CHECK (outcome IN ('answered', 'malformed', 'refused', 'failed', 'lost')),
    answer       text,
    problem      text,
    tokens_in    bigint NOT NULL DEFAULT 0 CHECK (tokens_in >= 0),
    tokens_out   bigint NOT NULL DEFAULT 0 CHECK (tokens_out >= 0),
    characters   bigint NOT NULL DEFAULT 0 CHECK (characters >= 0),
    cost         bigint NOT NULL CHECK (cost >= 0),  -- millionths of a dollar
    seconds      double precision NOT NULL CHECK (seconds >= 0 AND seconds < 'Infinity'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, project_id),
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) DEFERRABLE,
    CHECK ((outcome = 'answered') = (answer IS NOT NULL)),
    CHECK (outcome <> 'failed' OR cost = 0)
);
-- the same question has one answer, and it is asked for once
CREATE UNIQUE INDEX one_answer_a_question ON llm_calls (project_id, fingerprint)
    WHERE outcome = 'answered';
CREATE INDEX llm_calls_by_project ON llm_calls (project_id, id);

CREATE TABLE llm_reservations (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    round_id     bigint,
    purpose      text NOT NULL,
    provider     text NOT NULL,
    model        text NOT NULL,
    amount       bigint NOT NULL CHECK (amount >= 0),
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (round_id, project_id) REFERENCES rounds (id, project_id) DEFERRABLE
);
CREATE INDEX llm_reservations_by_project ON llm_reservations (project_id);

CREATE TABLE llm_answers (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    item_id      bigint NOT NULL,
    call_id      bigint NOT NULL,
    purpose      text NOT NULL
                 CHECK (purpose IN ('label', 'uncertainty', 'weak_labels', 'judge')),
    value        jsonb NOT NULL CHECK (jsonb_typeof(value) = 'object'),
    confidence   double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    rationale    text,
    as_spelled   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (item_id, call_id, purpose),
    FOREIGN KEY (project_id, item_id) REFERENCES items (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (call_id, project_id) REFERENCES llm_calls (id, project_id) DEFERRABLE
);
CREATE INDEX llm_answers_by_project ON llm_answers (project_id, purpose, item_id, id);

CREATE TABLE llm_judgements (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind ~ '^judged_[a-z_]+$'),
    provider     text NOT NULL CHECK (provider <> ''),
    model        text NOT NULL,
    prompt       text NOT NULL,
    items        integer NOT NULL CHECK (items > 0),
    figures      jsonb NOT NULL CHECK (jsonb_typeof(figures) = 'object'),
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX llm_judgements_by_project ON llm_judgements (project_id, id);
"""

RULES = """
-- what people's answers measure with: the held-out splits and the audit slice
CREATE FUNCTION refuse_llm_label_of_yardstick() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT split FROM items WHERE id = NEW.item_id) <> 'pool' THEN
        RAISE EXCEPTION 'item % is held out: no LLM may label it', NEW.item_id
            USING ERRCODE = 'integrity_constraint_violation';
    ELSIF EXISTS (SELECT FROM selections WHERE item_id = NEW.item_id AND slice = 'audit') THEN
        RAISE EXCEPTION 'item % is in an audit slice: no LLM may label it', NEW.item_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER yardsticks_are_for_people BEFORE INSERT ON labels
    FOR EACH ROW WHEN (NEW.source LIKE 'llm:%')
    EXECUTE FUNCTION refuse_llm_label_of_yardstick();

CREATE FUNCTION refuse_to_hold_out_llm_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM newest_labels
               WHERE item_id = NEW.id AND value IS NOT NULL AND source LIKE 'llm:%') THEN
        RAISE EXCEPTION 'item % has a label of an LLM: it cannot be held out', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER yardsticks_are_for_people BEFORE UPDATE OF split ON items
    FOR EACH ROW WHEN (NEW.split <> 'pool' AND OLD.split = 'pool')
    EXECUTE FUNCTION refuse_to_hold_out_llm_labels();
"""

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_too BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""
FACTS = ("llm_calls", "llm_answers", "llm_judgements")


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(RULES)
    for table in FACTS:
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    op.execute("DROP TRIGGER yardsticks_are_for_people ON labels;")
    op.execute("DROP TRIGGER yardsticks_are_for_people ON items;")
    op.execute("DROP TABLE llm_judgements, llm_answers, llm_reservations, llm_calls;")
    op.execute("DROP FUNCTION refuse_llm_label_of_yardstick, refuse_to_hold_out_llm_labels;")
