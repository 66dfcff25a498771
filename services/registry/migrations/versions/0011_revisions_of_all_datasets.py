"""revisions of all datasets"""

from alembic import op

revision = "5d0e8c1f7a24"
down_revision = "a649453eae29"
branch_labels = None
depends_on = None


# Revisions that were deleted or renamed while datasets were in them: filters did not find these by it. Deleted ones come
# back as they were, where what the deletion took is still there.
RESTORE = """
    INSERT INTO registry.revisions (id, created_at, name, description, json)
    SELECT term.id, term.created_at, term.name, term.description, term.json FROM (
        SELECT DISTINCT ON (content ->> 'name') content FROM registry.removed_rows
        WHERE table_name = 'revisions'
        AND content ->> 'name' IN (SELECT revision FROM registry.datasets WHERE revision <> '')
        ORDER BY content ->> 'name', id DESC
    ) AS latest, jsonb_populate_record(NULL::registry.revisions, latest.content) AS term
    ON CONFLICT DO NOTHING"""
CREATE = """
    INSERT INTO registry.revisions (id, name)
    SELECT gen_random_uuid(), named.revision FROM (
        SELECT DISTINCT revision FROM registry.datasets WHERE revision <> ''
    ) AS named
    ON CONFLICT (name) DO NOTHING"""


def upgrade() -> None:
    op.execute(RESTORE)
    op.execute(CREATE)
