"""Fields of view, their locations and imaging stacks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "08bdcb11f4d9"
down_revision = "d3ccb2ee7cc1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imaging_stacks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imaging_stacks")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_imaging_stacks_created_by_id"),
        "imaging_stacks",
        ["created_by_id"],
        unique=False,
        schema="metadata",
    )
    op.create_table(
        "fields_of_view",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("imaging_type_id", sa.Uuid(), nullable=True),
        sa.Column("stack_id", sa.Uuid(), nullable=True),
        sa.Column("dataset_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["imaging_type_id"],
            ["metadata.vocabulary.id"],
            name=op.f("fk_fields_of_view_imaging_type_id_vocabulary"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["metadata.actions.id"], name=op.f("fk_fields_of_view_session_id_actions")
        ),
        sa.ForeignKeyConstraint(
            ["stack_id"],
            ["metadata.imaging_stacks.id"],
            name=op.f("fk_fields_of_view_stack_id_imaging_stacks"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fields_of_view")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_fields_of_view_stack_id"), "fields_of_view", ["stack_id"], unique=False, schema="metadata"
    )
    op.create_index(
        "uq_fields_of_view_session_id_name",
        "fields_of_view",
        ["session_id", "name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "fov_locations",
        sa.Column("field_of_view_id", sa.Uuid(), nullable=False),
        sa.Column("provenance", sa.String(), nullable=False),
        sa.Column("default_provenance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("coordinate_system_id", sa.Uuid(), nullable=True),
        sa.Column("brain_region_ids", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("x", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("y", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("z", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("n_xyz", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column(
            "auto_datetime", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "provenance IN ('E', 'F', 'L', 'H')", name=op.f("ck_fov_locations_provenance_known")
        ),
        sa.ForeignKeyConstraint(
            ["coordinate_system_id"],
            ["metadata.vocabulary.id"],
            name=op.f("fk_fov_locations_coordinate_system_id_vocabulary"),
        ),
        sa.ForeignKeyConstraint(
            ["field_of_view_id"],
            ["metadata.fields_of_view.id"],
            name=op.f("fk_fov_locations_field_of_view_id_fields_of_view"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fov_locations")),
        schema="metadata",
    )
    op.create_index(
        "ix_fov_locations_brain_region_ids",
        "fov_locations",
        ["brain_region_ids"],
        unique=False,
        schema="metadata",
        postgresql_using="gin",
    )
    op.create_index(
        "uq_fov_locations_default",
        "fov_locations",
        ["field_of_view_id"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL AND default_provenance"),
    )
    op.create_index(
        "uq_fov_locations_field_of_view_id_provenance",
        "fov_locations",
        ["field_of_view_id", "provenance"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
