"""lists by time"""

import sqlalchemy as sa
from alembic import op

revision = "b8c66ad4448e"
down_revision = "4627ceca64e4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_copies_created_at",
        "copies",
        [sa.literal_column("created_at DESC"), "id"],
        unique=False,
        schema="registry",
    )
    op.create_index("ix_copies_proved_at", "copies", ["proved_at"], unique=False, schema="registry")
    op.create_index(
        "ix_datasets_created_at",
        "datasets",
        [sa.literal_column("created_at DESC"), "id"],
        unique=False,
        schema="registry",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
