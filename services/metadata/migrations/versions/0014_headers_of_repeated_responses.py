"""Headers of responses that are repeated under an Idempotency-Key"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "06b98b926025"
down_revision = "08bdcb11f4d9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("headers", postgresql.JSONB(), nullable=True), schema="metadata")
