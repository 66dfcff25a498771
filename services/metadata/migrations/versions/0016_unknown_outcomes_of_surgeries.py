"""The unknown outcome of a surgery is an empty text"""

from alembic import op

revision = "5d0f6a2be917"
down_revision = "7c3e9b52d401"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE metadata.actions SET outcome_type = '' WHERE kind = 'surgery' AND outcome_type IS NULL"
    )
