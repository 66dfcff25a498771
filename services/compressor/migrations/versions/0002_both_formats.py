"""both formats, and the proof"""

import sqlalchemy as sa
from alembic import op

revision = "5b7c1d2e9a40"
down_revision = "f84016ef07dc"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("recordings", "cbin_sha256", new_column_name="sha256", schema="compressor")
    op.alter_column("recordings", "ch_sha256", nullable=True, schema="compressor")
    op.add_column("recordings", sa.Column("raw_sha256", sa.Text(), nullable=True), schema="compressor")
    op.add_column("recordings", sa.Column("raw_sha1", sa.Text(), nullable=True), schema="compressor")
    op.add_column("recordings", sa.Column("tail", sa.LargeBinary(), nullable=True), schema="compressor")
    op.add_column(
        "recordings", sa.Column("proved_at", sa.TIMESTAMP(timezone=True), nullable=True), schema="compressor"
    )
    op.add_column(
        "recordings",
        sa.Column("proof_problem", sa.Text(), server_default="", nullable=False),
        schema="compressor",
    )
    # What is indexed already lacks the hashes of the original: it is looked into once more.
    op.execute("UPDATE compressor.recordings SET state = 'wanted' WHERE state = 'indexed'")


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only")
