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
        # By the names of now: of users first, then of deleted ones, whose names metadata publishes once it is migrated.
        # Who was renamed before is not known any more.
        op.execute(f"""
            UPDATE registry.{table} AS made SET created_by_id = named.id
            FROM (
                SELECT DISTINCT ON (username) id, username FROM (
                    SELECT id, username, 1 AS rank FROM metadata.published_users_v1
                    UNION ALL SELECT id, username, 2 FROM metadata.published_usernames_v1
                ) AS every ORDER BY username, rank, id
            ) AS named WHERE named.username = made.created_by""")  # noqa: S608
