"""Events wait for their next try"""

import sqlalchemy as sa
from alembic import op

revision = "c3e0d5a1b701"
down_revision = "5b7c1d2e9a40"
branch_labels = None
depends_on = None

WAITING = sa.text("parked_at IS NULL")


def upgrade() -> None:
    when = sa.TIMESTAMP(timezone=True)
    for column in (
        sa.Column("request_id", sa.Text(), server_default="-", nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("said_at", when, server_default=sa.text("now()"), nullable=False),
        sa.Column("transient", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retry_at", when, server_default=sa.text("now()"), nullable=False),
    ):
        op.add_column("dead_events", column, schema="compressor")
    op.create_index(
        "ix_dead_events_retry_at", "dead_events", ["retry_at"], schema="compressor", postgresql_where=WAITING
    )
    op.create_index(
        "ix_dead_events_key", "dead_events", ["key", "said_at"], schema="compressor", postgresql_where=WAITING
    )
    # Until now a store or a database that was away for six seconds parked an event: each gets another round of tries.
    op.execute("UPDATE compressor.dead_events SET failures = 0, parked_at = NULL")
