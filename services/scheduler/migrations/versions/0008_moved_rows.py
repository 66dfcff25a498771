"""What each merge of sessions moved, while it can be undone"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7c3e9b52d403"
down_revision = "157c53c3b9bb"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_rows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("merge_id", sa.UUID(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.UUID(), nullable=False),
        sa.Column("former_id", sa.UUID(), nullable=False),
        sa.Column("target_id", sa.UUID(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.Column(
            "moved_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moved_rows")),
        schema="scheduler",
    )
    for column in ("merge_id", "row_id", "moved_at"):
        op.create_index(f"ix_moved_rows_{column}", "moved_rows", [column], schema="scheduler")
