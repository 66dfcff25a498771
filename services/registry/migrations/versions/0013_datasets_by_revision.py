"""datasets by revision"""

import sqlalchemy as sa
from alembic import op

revision = "3e7a95c04d18"
down_revision = "b81f6d2c9e37"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_datasets_revision",
        "datasets",
        ["revision"],
        unique=False,
        schema="registry",
        postgresql_where=sa.text("revision <> ''"),
    )
