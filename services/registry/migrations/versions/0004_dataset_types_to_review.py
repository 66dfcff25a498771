"""Dataset types that registrations created, and the terms that a database was offered"""

import sqlalchemy as sa
from alembic import op

revision = "d41f7c2ab906"
down_revision = "c3e0d5a1b703"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shipped_terms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipped_terms")),
        schema="registry",
    )
    op.add_column(
        "dataset_types",
        sa.Column("needs_review", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="registry",
    )
    # Ids of a lab's own terms do no harm here: they are those of no shipped term.
    op.execute(
        "INSERT INTO registry.shipped_terms SELECT id FROM registry.dataset_types"
        " UNION SELECT id FROM registry.formats UNION SELECT id FROM registry.repository_types"
    )
