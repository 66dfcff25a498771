"""First tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "de806bd2d86b"
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
        schema="metadata",
    )
    op.create_index("ix_audit_object", "audit", ["object_type", "object_id"], unique=False, schema="metadata")
    op.create_table(
        "audit_seals",
        sa.Column("audit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("n", name=op.f("uq_audit_seals_n")),
        schema="metadata",
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
        schema="metadata",
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
        schema="metadata",
    )
    op.create_index(
        "ix_events_subject_created_at", "events", ["subject", "created_at"], unique=False, schema="metadata"
    )
    op.create_index(
        "ix_events_waiting",
        "events",
        ["seq"],
        unique=False,
        schema="metadata",
        postgresql_where=sa.text("rung_at IS NULL"),
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
        schema="metadata",
    )
    op.create_index(
        "ix_idempotency_created_at", "idempotency", ["created_at"], unique=False, schema="metadata"
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
        schema="metadata",
    )
    op.create_table(
        "labs",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), server_default="", nullable=False),
        sa.Column("address", sa.String(), server_default="", nullable=False),
        sa.Column("timezone", sa.String(), server_default="Europe/London", nullable=False),
        sa.Column("reference_weight_pct", sa.Double(), server_default="0", nullable=False),
        sa.Column("zscore_weight_pct", sa.Double(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labs")),
        schema="metadata",
    )
    op.create_index(
        "uq_labs_name",
        "labs",
        ["name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "projects",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("is_private", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        schema="metadata",
    )
    op.create_index(
        "uq_projects_name",
        "projects",
        ["name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "users",
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_staff", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_stock_manager", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_public_user", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("token_generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
        schema="metadata",
    )
    op.create_table(
        "vocabulary",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("nickname", sa.String(), server_default="", nullable=False),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_vocabulary_kind_name")),
        schema="metadata",
    )
    op.create_table(
        "delegates",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("delegate_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delegate_id"], ["metadata.users.id"], name=op.f("fk_delegates_delegate_id_users")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["metadata.users.id"], name=op.f("fk_delegates_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "delegate_id", name=op.f("pk_delegates")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_delegates_delegate_id"), "delegates", ["delegate_id"], unique=False, schema="metadata"
    )
    op.create_table(
        "lab_repositories",
        sa.Column("lab_id", sa.Uuid(), nullable=False),
        sa.Column("repository_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lab_id"], ["metadata.labs.id"], name=op.f("fk_lab_repositories_lab_id_labs")
        ),
        sa.PrimaryKeyConstraint("lab_id", "repository_id", name=op.f("pk_lab_repositories")),
        schema="metadata",
    )
    op.create_table(
        "lines",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("nickname", sa.String(), server_default="", nullable=False),
        sa.Column("strain_id", sa.Uuid(), nullable=True),
        sa.Column("lab_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["lab_id"], ["metadata.labs.id"], name=op.f("fk_lines_lab_id_labs")),
        sa.ForeignKeyConstraint(
            ["strain_id"], ["metadata.vocabulary.id"], name=op.f("fk_lines_strain_id_vocabulary")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        schema="metadata",
    )
    op.create_index(
        "uq_lines_name",
        "lines",
        ["name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "locations",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("lab_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["lab_id"], ["metadata.labs.id"], name=op.f("fk_locations_lab_id_labs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        schema="metadata",
    )
    op.create_index(
        "uq_locations_name",
        "locations",
        ["name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lab_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), server_default="", nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "end_date IS NULL OR end_date >= start_date", name=op.f("ck_memberships_ends_after_start")
        ),
        sa.ForeignKeyConstraint(["lab_id"], ["metadata.labs.id"], name=op.f("fk_memberships_lab_id_labs")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["metadata.users.id"], name=op.f("fk_memberships_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "user_id", "lab_id", "start_date", name=op.f("uq_memberships_user_id_lab_id_start_date")
        ),
        schema="metadata",
    )
    op.create_index(op.f("ix_memberships_lab_id"), "memberships", ["lab_id"], unique=False, schema="metadata")
    op.create_index(
        op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False, schema="metadata"
    )
    op.create_table(
        "project_users",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["metadata.projects.id"], name=op.f("fk_project_users_project_id_projects")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["metadata.users.id"], name=op.f("fk_project_users_user_id_users")
        ),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_project_users")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_project_users_user_id"), "project_users", ["user_id"], unique=False, schema="metadata"
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('login', 'personal', 'worker')", name=op.f("ck_tokens_kind_known")),
        sa.ForeignKeyConstraint(["user_id"], ["metadata.users.id"], name=op.f("fk_tokens_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
        schema="metadata",
    )
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False, schema="metadata")
    op.create_table(
        "line_alleles",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("allele_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["allele_id"], ["metadata.vocabulary.id"], name=op.f("fk_line_alleles_allele_id_vocabulary")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["metadata.lines.id"], name=op.f("fk_line_alleles_line_id_lines")
        ),
        sa.PrimaryKeyConstraint("line_id", "allele_id", name=op.f("pk_line_alleles")),
        schema="metadata",
    )
    op.create_table(
        "litters",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["line_id"], ["metadata.lines.id"], name=op.f("fk_litters_line_id_lines")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_litters")),
        schema="metadata",
    )
    op.create_index(
        "uq_litters_name",
        "litters",
        ["name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "subjects",
        sa.Column("nickname", sa.String(), nullable=False),
        sa.Column("lab_id", sa.Uuid(), nullable=True),
        sa.Column("responsible_user_id", sa.Uuid(), nullable=True),
        sa.Column("sex", sa.String(), server_default="U", nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("death_date", sa.Date(), nullable=True),
        sa.Column("species_id", sa.Uuid(), nullable=True),
        sa.Column("strain_id", sa.Uuid(), nullable=True),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("litter_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.String(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("sex IN ('M', 'F', 'U')", name=op.f("ck_subjects_sex_known")),
        sa.ForeignKeyConstraint(["lab_id"], ["metadata.labs.id"], name=op.f("fk_subjects_lab_id_labs")),
        sa.ForeignKeyConstraint(["line_id"], ["metadata.lines.id"], name=op.f("fk_subjects_line_id_lines")),
        sa.ForeignKeyConstraint(
            ["litter_id"], ["metadata.litters.id"], name=op.f("fk_subjects_litter_id_litters")
        ),
        sa.ForeignKeyConstraint(
            ["responsible_user_id"], ["metadata.users.id"], name=op.f("fk_subjects_responsible_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["metadata.vocabulary.id"], name=op.f("fk_subjects_source_id_vocabulary")
        ),
        sa.ForeignKeyConstraint(
            ["species_id"], ["metadata.vocabulary.id"], name=op.f("fk_subjects_species_id_vocabulary")
        ),
        sa.ForeignKeyConstraint(
            ["strain_id"], ["metadata.vocabulary.id"], name=op.f("fk_subjects_strain_id_vocabulary")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        schema="metadata",
    )
    op.create_index(op.f("ix_subjects_lab_id"), "subjects", ["lab_id"], unique=False, schema="metadata")
    op.create_index(
        op.f("ix_subjects_responsible_user_id"),
        "subjects",
        ["responsible_user_id"],
        unique=False,
        schema="metadata",
    )
    op.create_index(
        "uq_subjects_nickname_lab_id",
        "subjects",
        ["nickname", "lab_id"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_subjects_nickname_responsible_user_id",
        "subjects",
        ["nickname", "responsible_user_id"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "actions",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("lab_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("narrative", sa.String(), server_default="", nullable=False),
        sa.Column("start_time", sa.String(), nullable=True),
        sa.Column("start_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("end_time", sa.String(), nullable=True),
        sa.Column("end_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "auto_datetime", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("parent_session_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("task_protocol", sa.String(), server_default="", nullable=False),
        sa.Column("n_trials", sa.Integer(), nullable=True),
        sa.Column("n_correct_trials", sa.Integer(), nullable=True),
        sa.Column("qc", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("extended_qc", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("outcome_type", sa.String(), nullable=True),
        sa.Column("implant_weight", sa.Double(), nullable=True),
        sa.Column("reference_weight", sa.Double(), nullable=True),
        sa.Column("water_type_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "implant_weight >= 0 AND implant_weight < 'Infinity'", name=op.f("ck_actions_implant_is_a_weight")
        ),
        sa.CheckConstraint(
            "kind <> 'session' OR start_time IS NOT NULL", name=op.f("ck_actions_session_has_start")
        ),
        sa.CheckConstraint(
            "kind IN ('session', 'surgery', 'water-restriction')", name=op.f("ck_actions_kind_known")
        ),
        sa.CheckConstraint(
            "reference_weight >= 0 AND reference_weight < 'Infinity'",
            name=op.f("ck_actions_reference_is_a_weight"),
        ),
        sa.ForeignKeyConstraint(["lab_id"], ["metadata.labs.id"], name=op.f("fk_actions_lab_id_labs")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["metadata.locations.id"], name=op.f("fk_actions_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["parent_session_id"], ["metadata.actions.id"], name=op.f("fk_actions_parent_session_id_actions")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["metadata.subjects.id"], name=op.f("fk_actions_subject_id_subjects")
        ),
        sa.ForeignKeyConstraint(
            ["water_type_id"], ["metadata.vocabulary.id"], name=op.f("fk_actions_water_type_id_vocabulary")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
        schema="metadata",
    )
    op.create_index(op.f("ix_actions_lab_id"), "actions", ["lab_id"], unique=False, schema="metadata")
    op.create_index(
        "ix_actions_newest",
        "actions",
        ["kind", sa.literal_column("start_at DESC"), "id"],
        unique=False,
        schema="metadata",
    )
    op.create_index(
        "ix_actions_subject_id_day_number",
        "actions",
        ["subject_id", "day", "number"],
        unique=False,
        schema="metadata",
    )
    op.create_table(
        "subject_projects",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["metadata.projects.id"], name=op.f("fk_subject_projects_project_id_projects")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["metadata.subjects.id"], name=op.f("fk_subject_projects_subject_id_subjects")
        ),
        sa.PrimaryKeyConstraint("subject_id", "project_id", name=op.f("pk_subject_projects")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_subject_projects_project_id"),
        "subject_projects",
        ["project_id"],
        unique=False,
        schema="metadata",
    )
    op.create_table(
        "water_administrations",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("date_time", sa.String(), nullable=False),
        sa.Column("date_time_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("water_administered", sa.Double(), nullable=True),
        sa.Column("water_type_id", sa.Uuid(), nullable=True),
        sa.Column("adlib", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "water_administered >= 0 AND water_administered < 'Infinity'",
            name=op.f("ck_water_administrations_volume_is_a_volume"),
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["metadata.subjects.id"],
            name=op.f("fk_water_administrations_subject_id_subjects"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["metadata.users.id"], name=op.f("fk_water_administrations_user_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["water_type_id"],
            ["metadata.vocabulary.id"],
            name=op.f("fk_water_administrations_water_type_id_vocabulary"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_water_administrations")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_water_administrations_session_id"),
        "water_administrations",
        ["session_id"],
        unique=False,
        schema="metadata",
    )
    op.create_index(
        "ix_water_administrations_subject_id_at",
        "water_administrations",
        ["subject_id", "date_time_at"],
        unique=False,
        schema="metadata",
    )
    op.create_table(
        "weighings",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("date_time", sa.String(), nullable=False),
        sa.Column("date_time_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "weight >= 0 AND weight < 'Infinity'", name=op.f("ck_weighings_weight_is_a_weight")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["metadata.subjects.id"], name=op.f("fk_weighings_subject_id_subjects")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["metadata.users.id"], name=op.f("fk_weighings_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weighings")),
        schema="metadata",
    )
    op.create_index(
        "ix_weighings_subject_id_at",
        "weighings",
        ["subject_id", "date_time_at"],
        unique=False,
        schema="metadata",
    )
    op.create_table(
        "zygosities",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("allele_id", sa.Uuid(), nullable=False),
        sa.Column("zygosity", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("zygosity BETWEEN 0 AND 3", name=op.f("ck_zygosities_zygosity_known")),
        sa.ForeignKeyConstraint(
            ["allele_id"], ["metadata.vocabulary.id"], name=op.f("fk_zygosities_allele_id_vocabulary")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["metadata.subjects.id"], name=op.f("fk_zygosities_subject_id_subjects")
        ),
        sa.PrimaryKeyConstraint("subject_id", "allele_id", name=op.f("pk_zygosities")),
        schema="metadata",
    )
    op.create_table(
        "action_procedures",
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("procedure_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"], ["metadata.actions.id"], name=op.f("fk_action_procedures_action_id_actions")
        ),
        sa.ForeignKeyConstraint(
            ["procedure_id"],
            ["metadata.vocabulary.id"],
            name=op.f("fk_action_procedures_procedure_id_vocabulary"),
        ),
        sa.PrimaryKeyConstraint("action_id", "procedure_id", name=op.f("pk_action_procedures")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_action_procedures_procedure_id"),
        "action_procedures",
        ["procedure_id"],
        unique=False,
        schema="metadata",
    )
    op.create_table(
        "action_users",
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["action_id"], ["metadata.actions.id"], name=op.f("fk_action_users_action_id_actions")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["metadata.users.id"], name=op.f("fk_action_users_user_id_users")
        ),
        sa.PrimaryKeyConstraint("action_id", "user_id", name=op.f("pk_action_users")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_action_users_user_id"), "action_users", ["user_id"], unique=False, schema="metadata"
    )
    op.create_table(
        "insertions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("serial", sa.String(), server_default="", nullable=False),
        sa.Column(
            "auto_datetime", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["metadata.actions.id"], name=op.f("fk_insertions_session_id_actions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insertions")),
        schema="metadata",
    )
    op.create_index(
        "uq_insertions_session_id_name",
        "insertions",
        ["session_id", "name"],
        unique=True,
        schema="metadata",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "session_projects",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["metadata.projects.id"], name=op.f("fk_session_projects_project_id_projects")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["metadata.actions.id"], name=op.f("fk_session_projects_session_id_actions")
        ),
        sa.PrimaryKeyConstraint("session_id", "project_id", name=op.f("pk_session_projects")),
        schema="metadata",
    )
    op.create_index(
        op.f("ix_session_projects_project_id"),
        "session_projects",
        ["project_id"],
        unique=False,
        schema="metadata",
    )
