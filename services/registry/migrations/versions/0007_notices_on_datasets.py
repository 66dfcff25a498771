"""notices on datasets"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "52e5a1a2b880"
down_revision = "03861a59c01f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_notices",
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("description_html", sa.String(), server_default="", nullable=False),
        sa.Column("importance", sa.SmallInteger(), server_default="20", nullable=False),
        sa.Column("version_affected", sa.String(), server_default="", nullable=False),
        sa.Column("affected_date_start", sa.Date(), nullable=True),
        sa.Column("affected_date_end", sa.Date(), nullable=True),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "affected_date_start <= affected_date_end", name=op.f("ck_data_notices_dates_in_order")
        ),
        sa.CheckConstraint("importance IN (20, 30, 40, 50)", name=op.f("ck_data_notices_importance_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_notices")),
        schema="registry",
    )
    op.create_table(
        "data_notice_datasets",
        sa.Column("data_notice_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["data_notice_id"],
            ["registry.data_notices.id"],
            name=op.f("fk_data_notice_datasets_data_notice_id_data_notices"),
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_data_notice_datasets_dataset_id_datasets")
        ),
        sa.PrimaryKeyConstraint("data_notice_id", "dataset_id", name=op.f("pk_data_notice_datasets")),
        schema="registry",
    )
    op.create_index(
        op.f("ix_data_notice_datasets_dataset_id"),
        "data_notice_datasets",
        ["dataset_id"],
        unique=False,
        schema="registry",
    )
