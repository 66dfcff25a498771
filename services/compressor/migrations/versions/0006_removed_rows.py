"""What each deletion took, while it can be undone"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5d0e7a91c305"
down_revision = "e2f6a90b4d13"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "removed_rows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.UUID(), nullable=True),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.Column(
            "removed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removed_rows")),
        schema="compressor",
    )
    for column in ("audit_id", "row_id", "removed_at"):
        op.create_index(f"ix_removed_rows_{column}", "removed_rows", [column], schema="compressor")
