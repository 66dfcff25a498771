"""Headers of responses that are repeated under an Idempotency-Key"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a40eba7bc39a"
down_revision = "5d0e7a91c304"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("idempotency", sa.Column("headers", postgresql.JSONB(), nullable=True), schema="transfer")
