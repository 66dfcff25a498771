"""consents that were withdrawn"""

import sqlalchemy as sa
from alembic import op

revision = "b19b24038fe6"
down_revision = "9aedbf9a48c5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "release_consents",
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        schema="registry",
    )
