"""Trajectories, channels and chronic insertions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "e28e6f8bd91c"
down_revision = "5d0e7a91c301"
branch_labels = None
depends_on = None

KINDS = "kind IN ('session', 'surgery', 'water-restriction', 'chronic-insertion')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_actions_kind_known"), "actions", schema="metadata")
    op.create_check_constraint(op.f("ck_actions_kind_known"), "actions", KINDS, schema="metadata")
    op.create_table(
        "trajectories",
        sa.Column("insertion_id", sa.Uuid(), nullable=True),
        sa.Column("chronic_insertion_id", sa.Uuid(), nullable=True),
        sa.Column("provenance", sa.SmallInteger(), nullable=False),
        sa.Column("coordinate_system_id", sa.Uuid(), nullable=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.Column("depth", sa.Double(), nullable=True),
        sa.Column("theta", sa.Double(), nullable=True),
        sa.Column("phi", sa.Double(), nullable=True),
        sa.Column("roll", sa.Double(), nullable=True),
        sa.Column(
            "auto_datetime", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "insertion_id IS NOT NULL OR chronic_insertion_id IS NOT NULL",
            name=op.f("ck_trajectories_has_insertion"),
        ),
        sa.ForeignKeyConstraint(
            ["chronic_insertion_id"],
            ["metadata.actions.id"],
            name=op.f("fk_trajectories_chronic_insertion_id_actions"),
        ),
        sa.ForeignKeyConstraint(
            ["coordinate_system_id"],
            ["metadata.vocabulary.id"],
            name=op.f("fk_trajectories_coordinate_system_id_vocabulary"),
        ),
        sa.ForeignKeyConstraint(
            ["insertion_id"], ["metadata.insertions.id"], name=op.f("fk_trajectories_insertion_id_insertions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trajectories")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_trajectories_chronic_insertion_id"),
        "trajectories",
        ["chronic_insertion_id"],
        unique=False,
        schema="metadata",
    )
    op.create_index(
        "uq_trajectories_chronic_insertion_id_provenance",
        "trajectories",
        ["chronic_insertion_id", "provenance"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL AND insertion_id IS NULL"),
    )
    op.create_index(
        "uq_trajectories_insertion_id_provenance",
        "trajectories",
        ["insertion_id", "provenance"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL AND insertion_id IS NOT NULL"),
    )
    op.create_table(
        "channels",
        sa.Column("trajectory_id", sa.Uuid(), nullable=False),
        sa.Column("brain_region_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("axial", sa.Double(), nullable=True),
        sa.Column("lateral", sa.Double(), nullable=True, quote=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["brain_region_id"],
            ["metadata.brain_regions.id"],
            name=op.f("fk_channels_brain_region_id_brain_regions"),
        ),
        sa.ForeignKeyConstraint(
            ["trajectory_id"],
            ["metadata.trajectories.id"],
            name=op.f("fk_channels_trajectory_id_trajectories"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_channels_brain_region_id"), "channels", ["brain_region_id"], unique=False, schema="metadata"
    )
    op.create_index(
        "uq_channels_trajectory_id_axial_lateral",
        "channels",
        ["trajectory_id", "axial", sa.quoted_name("lateral", quote=True)],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column(
        "actions", sa.Column("name", sa.String(), server_default="", nullable=False), schema="metadata"
    )
    op.add_column("actions", sa.Column("model", sa.String(), nullable=True), schema="metadata")
    op.add_column(
        "actions", sa.Column("serial", sa.String(), server_default="", nullable=False), schema="metadata"
    )
    op.add_column(
        "insertions", sa.Column("chronic_insertion_id", sa.Uuid(), nullable=True), schema="metadata"
    )
    op.create_index(
        op.f("ix_insertions_chronic_insertion_id"),
        "insertions",
        ["chronic_insertion_id"],
        unique=False,
        schema="metadata",
    )
    op.create_foreign_key(
        op.f("fk_insertions_chronic_insertion_id_actions"),
        "insertions",
        "actions",
        ["chronic_insertion_id"],
        ["id"],
        source_schema="metadata",
        referent_schema="metadata",
    )
