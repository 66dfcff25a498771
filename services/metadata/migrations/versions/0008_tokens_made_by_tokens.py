"""Which token made a token: revoking the one revokes the other"""

import sqlalchemy as sa
from alembic import op

revision = "b7c41f0a92d5"
down_revision = "324d2b216e9e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("made_by_token_id", sa.Uuid(), nullable=True), schema="metadata")
    op.create_foreign_key(
        "fk_tokens_made_by_token_id_tokens",
        "tokens",
        "tokens",
        ["made_by_token_id"],
        ["id"],
        source_schema="metadata",
        referent_schema="metadata",
    )
    op.create_index("ix_tokens_made_by_token_id", "tokens", ["made_by_token_id"], schema="metadata")
