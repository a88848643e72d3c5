"""Room for what the next step of consensus needs; nothing yet."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None: ...


def downgrade() -> None: ...
