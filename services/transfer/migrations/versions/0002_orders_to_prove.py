"""orders to prove"""

import sqlalchemy as sa
from alembic import op

revision = "1a8d4d1452d1"
down_revision = "d3a1f77fa386"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("copy_id", name=op.f("pk_orders")),
        schema="transfer",
    )
    op.create_index(
        "ix_uploads_md5",
        "uploads",
        ["md5", "size_bytes"],
        unique=False,
        schema="transfer",
        postgresql_where=sa.text("state = 'landed'"),
    )
