"""ids of authors"""

import sqlalchemy as sa
from alembic import op

revision = "b81f6d2c9e37"
down_revision = "5d0e8c1f7a24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("datasets", "dataset_types"):
        op.add_column(table, sa.Column("created_by_id", sa.Uuid(), nullable=True), schema="registry")
        # By the names of now. Who was renamed before is not known any more.
        op.execute(f"""
            UPDATE registry.{table} AS made SET created_by_id = users.id
            FROM metadata.published_users_v1 AS users WHERE users.username = made.created_by""")  # noqa: S608
