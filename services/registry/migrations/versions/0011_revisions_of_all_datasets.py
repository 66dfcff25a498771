"""revisions of all datasets"""

from alembic import op

revision = "5d0e8c1f7a24"
down_revision = "a649453eae29"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Revisions that were deleted or renamed while datasets were in them: filters did not find these by it.
    op.execute("""
        INSERT INTO registry.revisions (id, name)
        SELECT gen_random_uuid(), named.revision FROM (
            SELECT DISTINCT revision FROM registry.datasets WHERE revision <> ''
        ) AS named
        ON CONFLICT (name) DO NOTHING""")
