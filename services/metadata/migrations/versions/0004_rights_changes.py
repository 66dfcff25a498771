"""Whatever changes who may see what leaves a row"""

import sqlalchemy as sa
from alembic import op

revision = "d71a4e93c5b6"
down_revision = "c3e0d5a1b702"
branch_labels = None
depends_on = None

KEPT = 10_000
FACTS = {
    "projects": "INSERT OR UPDATE OR DELETE",
    "project_users": "INSERT OR UPDATE OR DELETE",
    "session_projects": "INSERT OR UPDATE OR DELETE",
    "subject_projects": "INSERT OR UPDATE OR DELETE",
    "subjects": "UPDATE OF lab_id, responsible_user_id, deleted_at OR DELETE",
    "actions": "UPDATE OF subject_id, lab_id, deleted_at OR DELETE",
}


def upgrade() -> None:
    op.create_table(
        "rights_changes",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_rights_changes")),
        schema="metadata",
    )
    op.execute(
        f"""
        CREATE FUNCTION metadata.note_rights_change() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE newest bigint;
        BEGIN
            INSERT INTO metadata.rights_changes DEFAULT VALUES RETURNING seq INTO newest;
            DELETE FROM metadata.rights_changes WHERE seq IN (
                SELECT seq FROM metadata.rights_changes WHERE seq < newest - {KEPT}
                ORDER BY seq LIMIT 10 FOR UPDATE SKIP LOCKED);
            RETURN NULL;
        END $$"""  # noqa: S608
    )
    for table, facts in FACTS.items():
        op.execute(
            f"CREATE TRIGGER rights_change AFTER {facts} ON metadata.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION metadata.note_rights_change()"
        )
