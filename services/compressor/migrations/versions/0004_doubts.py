"""what companions claim of a recording and it does not bear out"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c41d7e9b2f06"
down_revision = "c3e0d5a1b701"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "recordings",
        sa.Column("doubts", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        schema="compressor",
    )
    # What has a .meta or a .ch was never compared with it: it is looked into once more, and proved again,
    # as indexing forgets the SHA-256 that only decoding found.
    op.execute(
        "UPDATE compressor.recordings SET state = 'wanted', proved_at = NULL"
        " WHERE state = 'indexed' AND (meta_sha256 IS NOT NULL OR ch_sha256 IS NOT NULL)"
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only")
