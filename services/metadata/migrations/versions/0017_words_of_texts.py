"""Words of sessions, notes and subjects are found by indexes"""

from alembic import op

revision = "2b9d47e1c6fa"
down_revision = "5d0f6a2be917"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, text, condition in (
        ("actions", "narrative || ' ' || task_protocol", "WHERE kind = 'session'"),
        ("notes", "text", ""),
        ("subjects", "nickname || ' ' || description", ""),
    ):
        words = f"translate(left({text}, 100000), './-+<>&', '       ')"
        op.execute(
            f"CREATE INDEX ix_{table}_words ON metadata.{table} "
            f"USING gin (to_tsvector('simple'::regconfig, {words})) {condition}"
        )
