"""zips of releases"""

import sqlalchemy as sa
from alembic import op

revision = "5f1c9d20b7ae"
down_revision = "53b8607a5910"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exports", sa.Column("release_id", sa.Uuid(), nullable=True), schema="registry")
    op.add_column("exports", sa.Column("basis", sa.CHAR(length=64), nullable=True), schema="registry")
    op.alter_column("exports", "user_id", nullable=True, schema="registry")
    op.alter_column("exports", "expires_at", nullable=True, schema="registry")
    op.create_foreign_key(
        op.f("fk_exports_release_id_releases"),
        "exports",
        "releases",
        ["release_id"],
        ["id"],
        source_schema="registry",
        referent_schema="registry",
    )
    op.create_unique_constraint(op.f("uq_exports_release_id"), "exports", ["release_id"], schema="registry")
