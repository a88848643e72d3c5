"""Room for what the next step of collection needs; nothing yet."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None: ...


def downgrade() -> None: ...
