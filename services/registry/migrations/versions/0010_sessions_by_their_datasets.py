"""sessions by their datasets"""

from alembic import op

revision = "a649453eae29"
down_revision = "7c3e9b52d402"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # First, although readers wait while the others are built: dropped last, after locks that only writers wait for, the
    # upgrade would deadlock at once with a transaction that has read datasets and waits to write one.
    op.drop_index(op.f("ix_datasets_dataset_type_id"), table_name="datasets", schema="registry")
    op.drop_index(op.f("ix_datasets_name"), table_name="datasets", schema="registry")
    op.create_index(
        "ix_datasets_type_session",
        "datasets",
        ["dataset_type_id", "session_id"],
        unique=False,
        schema="registry",
        postgresql_include=["deleted_at"],
    )
    op.create_index(
        "ix_datasets_name_session", "datasets", ["name", "session_id"], unique=False, schema="registry"
    )
