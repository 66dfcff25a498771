"""exports"""

import sqlalchemy as sa
from alembic import op

revision = "53b8607a5910"
down_revision = "917f8d748e05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checksums",
        sa.Column("sha256", sa.CHAR(length=64), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_checksums")),
        schema="registry",
    )
    op.create_table(
        "exports",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("narrowing", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("n_files", sa.Integer(), nullable=False),
        sa.Column("n_sessions", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.CHAR(length=64), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
        schema="registry",
    )
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"], unique=False, schema="registry")
    op.create_index("ix_exports_user_id", "exports", ["user_id"], unique=False, schema="registry")
    op.create_table(
        "export_documents",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["registry.exports.id"], name=op.f("fk_export_documents_export_id_exports")
        ),
        sa.PrimaryKeyConstraint("export_id", "position", name=op.f("pk_export_documents")),
        schema="registry",
    )
    op.create_table(
        "export_files",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("left_out", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["registry.exports.id"], name=op.f("fk_export_files_export_id_exports")
        ),
        sa.PrimaryKeyConstraint("export_id", "position", name=op.f("pk_export_files")),
        schema="registry",
    )
