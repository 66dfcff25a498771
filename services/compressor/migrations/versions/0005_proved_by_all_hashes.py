"""recordings are proved by the hashes of their .meta, too, and doubted where a proof fails"""

from alembic import op

revision = "e2f6a90b4d13"
down_revision = "c41d7e9b2f06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whose .ch tells no hash was never decoded: the .meta is looked into for one.
    op.execute(
        "UPDATE compressor.recordings SET state = 'wanted'"
        " WHERE state = 'indexed' AND raw_sha256 IS NULL AND raw_sha1 IS NULL AND meta_sha256 IS NOT NULL"
    )
    # Whose proof failed is decoded once more, so that its doubt is written.
    op.execute(
        "UPDATE compressor.recordings SET proof_problem = ''"
        " WHERE proof_problem LIKE 'it decodes to other bytes than were compressed%'"
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only")
