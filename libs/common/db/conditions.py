"""The type of a statement's conditions."""

from __future__ import annotations

import sqlalchemy as sa

Condition = sa.ColumnElement[bool]
