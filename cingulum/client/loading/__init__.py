"""Load declared rows into a server: names are keys, and loading twice changes nothing."""

from __future__ import annotations

from cingulum.client.loading.file import BadFile, Row, read_load_file
from cingulum.client.loading.plan import Action, RowRefused, Step, carry_out, plan

__all__ = ["Action", "BadFile", "Row", "RowRefused", "Step", "carry_out", "plan", "read_load_file"]
