"""claims in order"""

import sqlalchemy as sa
from alembic import op

revision = "6a5d6a8bf3d0"
down_revision = "100f7c1fbd1f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(
        op.f("ix_jobs_ready"),
        table_name="jobs",
        schema="scheduler",
        postgresql_where="((state)::text = 'Waiting'::text)",
    )
    op.create_index(
        "ix_jobs_ready",
        "jobs",
        [sa.literal_column("priority DESC"), "level", "created_at", "id"],
        unique=False,
        schema="scheduler",
        postgresql_where=sa.text("state = 'Waiting'"),
    )
