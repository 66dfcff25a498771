"""paths of files of releases"""

import sqlalchemy as sa
from alembic import op

revision = "17c01a4d2771"
down_revision = "5d0c9be1f274"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("release_datasets", sa.Column("path", sa.String(), nullable=True), schema="registry")
    op.create_index(
        "ix_release_datasets_path",
        "release_datasets",
        ["release_id", "path"],
        unique=False,
        schema="registry",
    )
