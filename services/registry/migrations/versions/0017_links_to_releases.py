"""links to releases"""

import sqlalchemy as sa
from alembic import op

revision = "917f8d748e05"
down_revision = "17c01a4d2771"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "release_links",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.CHAR(length=64), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["registry.releases.id"], name=op.f("fk_release_links_release_id_releases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_release_links_token_hash")),
        schema="registry",
    )
    op.create_index(
        op.f("ix_release_links_release_id"), "release_links", ["release_id"], unique=False, schema="registry"
    )
