"""Lists of jobs by state"""

from alembic import op

revision = "fc90f4d4a622"
down_revision = "7c3e9b52d403"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_state", "jobs", ["state"], unique=False, schema="scheduler")
