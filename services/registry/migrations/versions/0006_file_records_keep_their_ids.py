"""File records keep their ids"""

import sqlalchemy as sa
from alembic import op

revision = "03861a59c01f"
down_revision = "5d0e7a91c302"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "download_projects",
        sa.Column("download_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["download_id"],
            ["registry.downloads.id"],
            name=op.f("fk_download_projects_download_id_downloads"),
        ),
        sa.PrimaryKeyConstraint("download_id", "project_id", name=op.f("pk_download_projects")),
        schema="registry",
    )
    op.create_index(
        op.f("ix_download_projects_project_id"),
        "download_projects",
        ["project_id"],
        unique=False,
        schema="registry",
    )
    op.add_column("copies", sa.Column("file_id", sa.Uuid(), nullable=True), schema="registry")
    op.add_column("copies", sa.Column("relative_path", sa.String(), nullable=True), schema="registry")
    op.create_index(
        "ix_copies_file_id", "copies", [sa.literal_column("COALESCE(file_id, id)")], schema="registry"
    )
    op.create_index(
        "ix_copies_relative_path",
        "copies",
        ["repository_id", "relative_path"],
        schema="registry",
        postgresql_where=sa.text("relative_path IS NOT NULL"),
    )
    op.alter_column(
        "repositories",
        "globus_is_personal",
        existing_type=sa.BOOLEAN(),
        nullable=True,  # the default stays while pods of the version before may run: they insert without a value
        schema="registry",
    )
    # The id of a record was that of the newest version's copy: all versions' copies get this one.
    op.execute("""
        UPDATE registry.copies c SET file_id = newest.id
        FROM (SELECT DISTINCT ON (dataset_id, repository_id) id, dataset_id, repository_id, generation
              FROM registry.copies ORDER BY dataset_id, repository_id, generation DESC) AS newest
        WHERE newest.generation > 1 AND c.dataset_id = newest.dataset_id AND c.repository_id = newest.repository_id""")
