"""Drop the table `notices` and the column `datasets.doubts`, which were never read"""

from alembic import op

revision = "e7a1c94d2f50"
down_revision = "c3e0d5a1b703"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("notices", schema="registry")
    op.drop_column("datasets", "doubts", schema="registry")
