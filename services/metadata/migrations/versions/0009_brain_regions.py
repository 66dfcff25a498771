"""The brain regions of the Allen mouse atlas"""

import csv

import sqlalchemy as sa
from alembic import op

from cingulum.atlas import REGIONS

revision = "4a9d17c6be20"
down_revision = "b7c41f0a92d5"
branch_labels = None
depends_on = None


def regions():
    """The rows of the file with their positions in the tree: a region before its parts, these by id."""
    with REGIONS.open(newline="", encoding="utf-8") as file:
        named = {int(row["id"]): row for row in csv.DictReader(file)}
    parts = {}
    for region_id, row in named.items():
        parent_id = int(row["parent"]) if row["parent"] else None
        parts.setdefault(parent_id, []).append(region_id)
    rows = []

    def add(region_id, parent_id):
        row = {"id": region_id, "parent_id": parent_id, "position": len(rows) + 1}
        row |= {"acronym": named[region_id]["acronym"], "name": named[region_id]["name"]}
        rows.append(row)
        for part_id in sorted(parts.get(region_id, ())):
            add(part_id, region_id)
        row["last"] = len(rows)

    for root_id in sorted(parts[None]):
        add(root_id, None)
    return rows


def upgrade() -> None:
    table = op.create_table(
        "brain_regions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("acronym", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.CheckConstraint("last >= position", name=op.f("ck_brain_regions_last_is_not_before")),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["metadata.brain_regions.id"],
            name=op.f("fk_brain_regions_parent_id_brain_regions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brain_regions")),
        sa.UniqueConstraint("position", name=op.f("uq_brain_regions_position")),
        schema="metadata",
    )
    op.create_index(
        "ix_brain_regions_lower_acronym", "brain_regions", [sa.text("lower(acronym)")], schema="metadata"
    )
    op.create_index("ix_brain_regions_parent_id", "brain_regions", ["parent_id"], schema="metadata")
    op.bulk_insert(table, regions())
