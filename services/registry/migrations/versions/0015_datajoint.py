"""datajoint"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5d0c9be1f274"
down_revision = "11d2ebdbc3d7"
branch_labels = None
depends_on = None

SCHEMA, OWNER = "datajoint_v1", "cingulum_datajoint_owner"
READERS, WRITER = "cingulum_datajoint_reader", "cingulum_registry"
KEY, UUID_TEXT, INSTANT, NUMBER = "char(32)", "char(36)", "timestamp", "double precision"
SESSION = ("session_key", "session")

# Per table: its comment, columns with their types and comments, how many of them are its key, foreign keys.
TABLES = {
    "subject": (
        "Animals",
        [
            ("subject_key", KEY, "made by Cingulum; refers to the animal in your own tables"),
            ("subject_uuid", UUID_TEXT, "id of the animal in Cingulum"),
            ("nickname", "varchar(255)", "as in the paths of files"),
            ("subject_lab", "varchar(255)", "of the animal"),
            ("sex", "varchar(1)", "M, F or U"),
            ("birth_date", "date", ""),
            ("death_date", "date", ""),
            ("species", "varchar(255)", ""),
            ("strain", "varchar(255)", ""),
            ("line", "varchar(255)", ""),
        ],
        1,
        [],
    ),
    "session": (
        "Recording sessions; eid leads to their files",
        [
            ("session_key", KEY, "made by Cingulum; refers to the session in your own tables"),
            ("subject_key", KEY, "null: the animal is not in the table Subject"),
            ("eid", UUID_TEXT, "id of the session in ONE and Cingulum"),
            ("subject_nickname", "varchar(255)", "as in the paths of files"),
            ("lab", "varchar(255)", ""),
            ("session_date", "date", "where it was recorded"),
            ("session_number", "integer", "among the sessions of the subject on that day"),
            ("start_time", INSTANT, "UTC"),
            ("task_protocol", "varchar(1023)", ""),
            ("projects", "varchar(1023)", "those that are not private, by name"),
            ("session_path", "varchar(1023)", "folder of its files: lab/Subjects/subject/date/number"),
            ("session_n_trials", "integer", "as registered"),
            ("session_n_correct", "integer", "as registered"),
            ("session_qc", "integer", "0 not set, 10 pass, 30 warning, 40 fail, 50 critical"),
            ("narrative", "text", ""),
        ],
        1,
        [("subject_key", "subject")],
    ),
    "insertion": (
        "Probes in sessions; pid leads to their files",
        [
            ("insertion_key", KEY, "made by Cingulum; refers to the insertion in your own tables"),
            ("session_key", KEY, ""),
            ("pid", UUID_TEXT, "id of the insertion in ONE and Cingulum"),
            ("probe_name", "varchar(255)", "as in the collection of files: alf/probe00"),
            ("model", "varchar(255)", ""),
            ("serial", "varchar(255)", ""),
        ],
        1,
        [SESSION],
    ),
    "dataset": (
        "Files of sessions; their contents are loaded by ONE",
        [
            ("dataset_key", KEY, "made by Cingulum; refers to the dataset in your own tables"),
            ("session_key", KEY, ""),
            ("dataset_uuid", UUID_TEXT, "id of the dataset in ONE and Cingulum"),
            ("dataset_name", "varchar(255)", "object.attribute.extension"),
            ("collection", "varchar(1023)", "folder in the session, empty for none"),
            ("revision", "varchar(255)", "empty for none"),
            ("dataset_type", "varchar(255)", ""),
            ("data_format", "varchar(255)", ""),
            ("relative_path", "varchar(2047)", "below session_path"),
            ("size_bytes", "bigint", ""),
            ("sha256", "char(64)", "of its bytes; null until all of them were read"),
            ("dataset_qc", "integer", "0 not set, 10 pass, 30 warning, 40 fail, 50 critical"),
            ("is_default_revision", "integer", "1 for the revision that ONE loads by default"),
            ("registered_at", INSTANT, "UTC"),
        ],
        1,
        [SESSION],
    ),
    "_trials_summary": (
        "Counts, performance and reaction times of a session, by the task trial_summary",
        [
            ("session_key", KEY, ""),
            ("summary_dataset_key", KEY, "file that the numbers are from"),
            ("n_trials", "integer", ""),
            ("n_correct", "integer", "rewarded"),
            ("n_no_answer", "integer", ""),
            ("performance", NUMBER, "fraction rewarded"),
            ("n_easy", "integer", "trials with at least 50 % contrast"),
            ("easy_performance", NUMBER, "fraction rewarded of these"),
            ("n_zero_contrast", "integer", ""),
            ("median_reaction_time_s", NUMBER, ""),
            ("zero_contrast_reaction_time_s", NUMBER, "median"),
            ("duration_s", NUMBER, ""),
            ("reward_total_ml", NUMBER, ""),
        ],
        1,
        [SESSION, ("summary_dataset_key", "dataset")],
    ),
    "_psychometric_fit": (
        "Psychometric curves of a session and of its blocks, by the task psychometric_fit",
        [
            ("session_key", KEY, ""),
            ("block", "varchar(8)", "all, or the probability of the left side: 0.2, 0.5, 0.8"),
            ("fit_dataset_key", KEY, "file that the numbers are from"),
            ("fit_n_trials", "integer", ""),
            ("bias_percent", NUMBER, "contrast"),
            ("threshold_percent", NUMBER, "contrast"),
            ("lapse_low", NUMBER, "P(right) far on the left"),
            ("lapse_high", NUMBER, "1 - P(right) far on the right"),
            ("log_likelihood", NUMBER, ""),
        ],
        2,
        [SESSION, ("fit_dataset_key", "dataset")],
    ),
    "release": (
        "Public releases of datasets, and those that were withdrawn after they were public",
        [
            ("release_key", KEY, "made by Cingulum; refers to the release in your own tables"),
            ("release_name", "varchar(255)", "its manifest is at /releases/NAME/manifest"),
            ("title", "varchar(1023)", ""),
            ("doi", "varchar(255)", ""),
            ("license", "varchar(255)", ""),
            ("public_from", INSTANT, "UTC"),
            ("manifest_root", "varchar(255)", "root of the Merkle tree of its files"),
            ("withdrawn_at", INSTANT, "UTC; null while it is public"),
            ("withdrawn_reason", "varchar(1023)", ""),
        ],
        1,
        [],
    ),
    "release__dataset": (
        "Datasets of releases",
        [("release_key", KEY, ""), ("dataset_key", KEY, "")],
        2,
        [("release_key", "release"), ("dataset_key", "dataset")],
    ),
}
WITHDRAWN = ("_withdrawn_at", INSTANT, "UTC; such a row is not shown and has nothing but its key")


def _origin(table: str, column: str) -> str:
    """Where DataJoint looks up an attribute's first definition: attributes of one origin are joined."""
    parent = dict(TABLES[table][3]).get(column)
    return f"{SCHEMA}.{parent}.{parent}_key" if parent else f"{SCHEMA}.{table}.{column}"


def _statements(table: str) -> Iterator[str]:
    comment, columns, n_keys, parents = TABLES[table]
    name, keys = f'{SCHEMA}."{table}"', [column for column, _, _ in columns[:n_keys]]
    lines = [
        f"{column} {kind}{' NOT NULL' if column in keys else ''}" for column, kind, _ in [*columns, WITHDRAWN]
    ]
    lines.append(f"CONSTRAINT pk_{table.strip('_')} PRIMARY KEY ({', '.join(keys)})")
    lines += [
        f"CONSTRAINT fk_{table.strip('_')}_{parent} FOREIGN KEY ({column}) REFERENCES {SCHEMA}.{parent}"
        for column, parent in parents
    ]
    yield f"CREATE TABLE {name} ({', '.join(lines)})"
    yield f"COMMENT ON TABLE {name} IS '{comment}'"
    for column, _, text in [*columns, WITHDRAWN]:
        yield f"COMMENT ON COLUMN {name}.{column} IS '{text}'"
        # Nothing is known to the planner, or its estimates would tell of rows that the reader does not see.
        yield f"ALTER TABLE {name} ALTER COLUMN {column} SET STATISTICS 0"
    for column, _ in parents:
        if column not in keys:
            yield f"CREATE INDEX ix_{table.strip('_')}_{column} ON {name} ({column})"
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"CREATE POLICY writer ON {name} TO {WRITER} USING (true) WITH CHECK (true)"
    yield f"GRANT SELECT, INSERT, UPDATE ON {name} TO {WRITER}"
    yield f"GRANT SELECT, REFERENCES ON {name} TO {READERS}"
    linked = {*keys, *(column for column, _ in parents)}
    for column in sorted(linked):
        yield f"INSERT INTO {SCHEMA}.\"~lineage\" VALUES ('{table}', '{column}', '{_origin(table, column)}')"  # noqa: S608


def _readable_tables() -> None:
    """The tables that people read with DataJoint, owned by a role that no service runs as."""
    op.execute(f"SET LOCAL ROLE {OWNER}")
    op.execute(
        f'CREATE TABLE {SCHEMA}."~lineage" (table_name varchar(64), attribute_name varchar(64), '
        "lineage varchar(255) NOT NULL, PRIMARY KEY (table_name, attribute_name))"
    )
    op.execute(f'GRANT SELECT ON {SCHEMA}."~lineage" TO {READERS}')
    for table in TABLES:
        for statement in _statements(table):
            op.execute(sa.text(statement.replace(":", "\\:")))
    op.execute("RESET ROLE")


def upgrade() -> None:
    op.create_table(
        "datajoint_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("compared_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_datajoint_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datajoint_state")),
        schema="registry",
    )
    op.execute(
        "INSERT INTO registry.datajoint_state (id, secret) "
        "VALUES (1, gen_random_uuid()\\:\\:text || gen_random_uuid()\\:\\:text)"
    )
    op.create_table(
        "datajoint_grants",
        sa.Column("role_name", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("granted_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("role_name", name=op.f("pk_datajoint_grants")),
        sa.UniqueConstraint("user_id", name=op.f("uq_datajoint_grants_user_id")),
        schema="registry",
    )
    op.create_table(
        "datajoint_values",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("read_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["registry.versions.id"], name=op.f("fk_datajoint_values_version_id_versions")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_datajoint_values")),
        schema="registry",
    )
    _readable_tables()
