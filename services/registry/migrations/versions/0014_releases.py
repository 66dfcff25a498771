"""releases"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "11d2ebdbc3d7"
down_revision = "3e7a95c04d18"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "release_keys",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_keys")),
        sa.UniqueConstraint("public_key", name=op.f("uq_release_keys_public_key")),
        schema="registry",
    )
    op.create_table(
        "releases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("authors", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("license", sa.String(), server_default="", nullable=False),
        sa.Column("doi", sa.String(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), server_default="draft", nullable=False),
        sa.Column("accepted", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("root", sa.String(), nullable=True),
        sa.Column("manifest", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("public_from", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("published_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state <> 'checked' OR manifest IS NOT NULL", name=op.f("ck_releases_checked_has_manifest")
        ),
        sa.CheckConstraint(
            "state <> 'published' OR (manifest IS NOT NULL AND signature IS NOT NULL AND public_from IS NOT NULL)",
            name=op.f("ck_releases_published_is_signed"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'checked', 'published', 'withdrawn')", name=op.f("ck_releases_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("name", name=op.f("uq_releases_name")),
        schema="registry",
    )
    op.create_table(
        "release_consents",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["registry.releases.id"], name=op.f("fk_release_consents_release_id_releases")
        ),
        sa.PrimaryKeyConstraint("release_id", "user_id", name=op.f("pk_release_consents")),
        schema="registry",
    )
    op.create_table(
        "release_datasets",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_release_datasets_dataset_id_datasets")
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["registry.releases.id"], name=op.f("fk_release_datasets_release_id_releases")
        ),
        sa.PrimaryKeyConstraint("release_id", "dataset_id", name=op.f("pk_release_datasets")),
        schema="registry",
    )
    op.create_index(
        op.f("ix_release_datasets_dataset_id"),
        "release_datasets",
        ["dataset_id"],
        unique=False,
        schema="registry",
    )
