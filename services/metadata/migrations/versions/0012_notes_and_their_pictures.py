"""notes and their pictures"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "d3ccb2ee7cc1"
down_revision = "e28e6f8bd91c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column(
            "announced_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_pictures_sha256_is_hexadecimal")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_pictures")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_pictures_announced_at"), "pictures", ["announced_at"], unique=False, schema="metadata"
    )
    op.create_table(
        "notes",
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("date_time", sa.String(), nullable=False),
        sa.Column("date_time_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), server_default="", nullable=False),
        sa.Column("image_path", sa.String(), nullable=True),
        sa.Column("image_sha256", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "(image_path IS NULL) = (image_sha256 IS NULL)", name=op.f("ck_notes_picture_has_path")
        ),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["metadata.pictures.sha256"], name=op.f("fk_notes_image_sha256_pictures")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["metadata.users.id"], name=op.f("fk_notes_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        sa.UniqueConstraint("image_path", name=op.f("uq_notes_image_path")),
        schema="metadata",
    )
    op.create_index(op.f("ix_notes_image_sha256"), "notes", ["image_sha256"], unique=False, schema="metadata")
    op.create_index(
        "ix_notes_newest",
        "notes",
        [sa.literal_column("date_time_at DESC"), "id"],
        unique=False,
        schema="metadata",
    )
    op.create_index(op.f("ix_notes_object_id"), "notes", ["object_id"], unique=False, schema="metadata")
