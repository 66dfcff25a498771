"""ready for a site"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "ab97da2f8439"
down_revision = "c3e0d5a1b704"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ready",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("not_before", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["scheduler.jobs.id"], name=op.f("fk_ready_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "site", name=op.f("pk_ready")),
        schema="scheduler",
    )
    op.create_index(
        "ix_ready_order",
        "ready",
        [sa.literal_column("priority DESC"), "level", "created_at", "job_id"],
        unique=False,
        schema="scheduler",
    )
    op.create_index(
        "ix_ready_site",
        "ready",
        ["site", "task", sa.literal_column("priority DESC"), "level", "created_at", "job_id"],
        unique=False,
        schema="scheduler",
    )
    op.add_column(
        "attempts", sa.Column("site", sa.String(), server_default="", nullable=False), schema="scheduler"
    )
    op.add_column("jobs", sa.Column("runner", sa.String(), nullable=True), schema="scheduler")
    op.add_column(
        "jobs",
        sa.Column("outside_pool", postgresql.ARRAY(sa.UUID()), server_default="{}", nullable=False),
        schema="scheduler",
    )
    op.add_column(
        "jobs",
        sa.Column("are_coming", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="scheduler",
    )
    op.drop_index(
        op.f("ix_jobs_ready"),
        table_name="jobs",
        schema="scheduler",
        postgresql_where="((state)::text = 'Waiting'::text)",
    )
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["id"],
        unique=False,
        schema="scheduler",
        postgresql_where=sa.text("state = 'Waiting' AND is_derived"),
    )
