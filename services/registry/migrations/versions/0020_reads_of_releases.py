"""reads of releases, and datasets pulled from them"""

import sqlalchemy as sa
from alembic import op

revision = "9aedbf9a48c5"
down_revision = "5f1c9d20b7ae"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "release_reads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column(
            "last_read_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("user_id IS NULL OR link_id IS NULL", name=op.f("ck_release_reads_one_reader")),
        sa.ForeignKeyConstraint(
            ["link_id"], ["registry.release_links.id"], name=op.f("fk_release_reads_link_id_release_links")
        ),
        sa.ForeignKeyConstraint(
            ["release_id", "dataset_id"],
            ["registry.release_datasets.release_id", "registry.release_datasets.dataset_id"],
            name=op.f("fk_release_reads_release_id_dataset_id_release_datasets"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_reads")),
        sa.UniqueConstraint(
            "release_id",
            "dataset_id",
            "generation",
            "day",
            "user_id",
            "link_id",
            name="uq_release_reads_reader",
            postgresql_nulls_not_distinct=True,
        ),
        schema="registry",
    )
    op.create_index("ix_release_reads_day", "release_reads", ["day"], unique=False, schema="registry")
    op.add_column(
        "release_datasets",
        sa.Column("pulled_at", sa.TIMESTAMP(timezone=True), nullable=True),
        schema="registry",
    )
    op.add_column(
        "release_datasets", sa.Column("pulled_reason", sa.String(), nullable=True), schema="registry"
    )
    op.add_column("release_datasets", sa.Column("notice_id", sa.Uuid(), nullable=True), schema="registry")
    op.create_index(
        op.f("ix_release_datasets_notice_id"),
        "release_datasets",
        ["notice_id"],
        unique=False,
        schema="registry",
    )
    op.create_foreign_key(
        op.f("fk_release_datasets_notice_id_data_notices"),
        "release_datasets",
        "data_notices",
        ["notice_id"],
        ["id"],
        source_schema="registry",
        referent_schema="registry",
    )
    op.create_check_constraint(
        op.f("ck_release_datasets_pulled_with_reason"),
        "release_datasets",
        "(pulled_at IS NULL) = (pulled_reason IS NULL)",
        schema="registry",
    )
