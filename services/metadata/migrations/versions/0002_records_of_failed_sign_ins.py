"""Records of failed sign-ins"""

import sqlalchemy as sa
from alembic import op

revision = "4edfdc7aef35"
down_revision = "de806bd2d86b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_records",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("blocked_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('account', 'address', 'pair')", name=op.f("ck_sign_in_records_kind_known")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_records")),
        schema="metadata",
    )
