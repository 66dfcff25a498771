"""owners of tasks without a session"""

import sqlalchemy as sa
from alembic import op

revision = "c41e07b95d2f"
down_revision = "6a5d6a8bf3d0"
branch_labels = None
depends_on = None
_KEY = "uq_jobs_session_id_task_probe_arguments"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("owner_id", sa.Uuid(), nullable=True), schema="scheduler")
    op.drop_constraint(_KEY, "jobs", schema="scheduler", type_="unique")
    op.create_unique_constraint(
        f"{_KEY}_owner_id",
        "jobs",
        ["session_id", "task", "probe", "arguments", "owner_id"],
        schema="scheduler",
        postgresql_nulls_not_distinct=True,
    )
