"""Auto mode: since when a project's rounds follow each other, or why they stopped."""

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


def upgrade() -> None:
    op.execute(AUTO)


def downgrade() -> None:
    op.execute("ALTER TABLE projects DROP COLUMN auto_since, DROP COLUMN stopped;")
