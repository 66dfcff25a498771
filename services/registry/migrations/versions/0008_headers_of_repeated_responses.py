"""Headers of responses that are repeated under an Idempotency-Key"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "372cb4c76dc7"
down_revision = "52e5a1a2b880"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("headers", postgresql.JSONB(), nullable=True), schema="registry")
