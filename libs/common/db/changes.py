"""Old names of db/rows.py, until every service uses the new ones."""

from libs.common.db.rows import create_row as created
from libs.common.db.rows import set_links
from libs.common.db.rows import soft_delete_row as deleted
from libs.common.db.rows import update_row as apply

__all__ = ["apply", "created", "deleted", "set_links"]
