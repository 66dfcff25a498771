"""Headers of responses that are repeated under an Idempotency-Key"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "157c53c3b9bb"
down_revision = "5d0e7a91c303"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("headers", postgresql.JSONB(), nullable=True), schema="scheduler")
