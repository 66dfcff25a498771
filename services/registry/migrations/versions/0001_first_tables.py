"""First tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4627ceca64e4"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        schema="registry",
    )
    op.create_index("ix_audit_object", "audit", ["object_type", "object_id"], unique=False, schema="registry")
    op.create_table(
        "audit_seals",
        sa.Column("audit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("n", name=op.f("uq_audit_seals_n")),
        schema="registry",
    )
    op.create_table(
        "dataset_types",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("filename_pattern", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_types")),
        sa.UniqueConstraint("filename_pattern", name=op.f("uq_dataset_types_filename_pattern")),
        sa.UniqueConstraint("name", name=op.f("uq_dataset_types_name")),
        schema="registry",
    )
    op.create_table(
        "dead_events",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("parked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_dead_events")),
        schema="registry",
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("rung_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        schema="registry",
    )
    op.create_index(
        "ix_events_subject_created_at", "events", ["subject", "created_at"], unique=False, schema="registry"
    )
    op.create_index(
        "ix_events_waiting",
        "events",
        ["seq"],
        unique=False,
        schema="registry",
        postgresql_where=sa.text("rung_at IS NULL"),
    )
    op.create_table(
        "formats",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("file_extension", sa.String(), server_default="", nullable=False),
        sa.Column("matlab_loader_function", sa.String(), server_default="", nullable=False),
        sa.Column("python_loader_function", sa.String(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_formats")),
        sa.UniqueConstraint("name", name=op.f("uq_formats_name")),
        schema="registry",
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency")),
        schema="registry",
    )
    op.create_index(
        "ix_idempotency_created_at", "idempotency", ["created_at"], unique=False, schema="registry"
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column(
            "handled_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
        schema="registry",
    )
    op.create_table(
        "publications",
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_ids", postgresql.ARRAY(sa.UUID()), server_default="{}", nullable=False),
        sa.Column("refused", sa.String(), nullable=True),
        sa.Column(
            "answered_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_publications")),
        schema="registry",
    )
    op.create_table(
        "repository_types",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repository_types")),
        sa.UniqueConstraint("name", name=op.f("uq_repository_types_name")),
        schema="registry",
    )
    op.create_table(
        "revisions",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("name", name=op.f("uq_revisions_name")),
        schema="registry",
    )
    op.create_table(
        "tags",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("protected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
        schema="registry",
    )
    op.create_table(
        "datasets",
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("lab_path", sa.String(), nullable=False),
        sa.Column("collection", sa.String(), server_default="", nullable=False),
        sa.Column("revision", sa.String(), server_default="", nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dataset_type_id", sa.Uuid(), nullable=False),
        sa.Column("format_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("software_version", sa.String(), nullable=True),
        sa.Column("qc", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("doubts", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "auto_datetime", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_type_id"],
            ["registry.dataset_types.id"],
            name=op.f("fk_datasets_dataset_type_id_dataset_types"),
        ),
        sa.ForeignKeyConstraint(
            ["format_id"], ["registry.formats.id"], name=op.f("fk_datasets_format_id_formats")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        schema="registry",
    )
    op.create_index(
        "ix_datasets_dataset_type_id", "datasets", ["dataset_type_id"], unique=False, schema="registry"
    )
    op.create_index("ix_datasets_name", "datasets", ["name"], unique=False, schema="registry")
    op.create_index(
        "ix_datasets_object_id",
        "datasets",
        ["object_id"],
        unique=False,
        schema="registry",
        postgresql_where=sa.text("object_id IS NOT NULL"),
    )
    op.create_index(
        "uq_datasets_path",
        "datasets",
        ["session_id", "object_id", "collection", "revision", "name"],
        unique=True,
        schema="registry",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "repositories",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), server_default="Europe/London", nullable=False),
        sa.Column("globus_path", sa.String(), server_default="", nullable=False),
        sa.Column("hostname", sa.String(), server_default="", nullable=False),
        sa.Column("data_url", sa.String(), nullable=True),
        sa.Column("repository_type_id", sa.Uuid(), nullable=True),
        sa.Column("globus_endpoint_id", sa.Uuid(), nullable=True),
        sa.Column("globus_is_personal", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("store", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("store IN ('local', 's3', 'agent')", name=op.f("ck_repositories_store_known")),
        sa.ForeignKeyConstraint(
            ["repository_type_id"],
            ["registry.repository_types.id"],
            name=op.f("fk_repositories_repository_type_id_repository_types"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repositories")),
        sa.UniqueConstraint("name", name=op.f("uq_repositories_name")),
        schema="registry",
    )
    op.create_table(
        "copies",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("repository_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proved_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("proved_how", sa.String(), server_default="", nullable=False),
        sa.Column("notice", sa.String(), server_default="", nullable=False),
        sa.Column("order_proof", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "state <> 'verified' OR proved_at IS NOT NULL", name=op.f("ck_copies_verified_is_proved")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_copies_dataset_id_datasets")
        ),
        sa.ForeignKeyConstraint(
            ["repository_id"], ["registry.repositories.id"], name=op.f("fk_copies_repository_id_repositories")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
        sa.UniqueConstraint(
            "dataset_id",
            "repository_id",
            "generation",
            name=op.f("uq_copies_dataset_id_repository_id_generation"),
        ),
        schema="registry",
    )
    op.create_index(
        "ix_copies_waiting", "copies", ["repository_id", "state"], unique=False, schema="registry"
    )
    op.create_table(
        "dataset_tags",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_dataset_tags_dataset_id_datasets")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["registry.tags.id"], name=op.f("fk_dataset_tags_tag_id_tags")),
        sa.PrimaryKeyConstraint("dataset_id", "tag_id", name=op.f("pk_dataset_tags")),
        schema="registry",
    )
    op.create_index(
        op.f("ix_dataset_tags_tag_id"), "dataset_tags", ["tag_id"], unique=False, schema="registry"
    )
    op.create_table(
        "downloads",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_downloads_dataset_id_datasets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
        sa.UniqueConstraint("user_id", "dataset_id", name=op.f("uq_downloads_user_id_dataset_id")),
        schema="registry",
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_notices_dataset_id_datasets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        schema="registry",
    )
    op.create_index(op.f("ix_notices_dataset_id"), "notices", ["dataset_id"], unique=False, schema="registry")
    op.create_table(
        "versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["registry.datasets.id"], name=op.f("fk_versions_dataset_id_datasets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
        sa.UniqueConstraint("dataset_id", "generation", name=op.f("uq_versions_dataset_id_generation")),
        schema="registry",
    )
    op.create_index("ix_versions_sha256", "versions", ["sha256"], unique=False, schema="registry")
