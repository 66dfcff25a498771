"""Imported by the process that others are forked from: what each of them would do first of all is done here."""

from __future__ import annotations

import importlib
import os
from unittest.mock import patch

from deploy.local import mounted
from libs.common.testing import settings_environment

# Loaded when a process serves, and at its first connection.
for _name in ("asyncpg", "uvicorn.lifespan.on", "uvicorn.protocols.http.httptools_impl", "uvloop"):
    importlib.import_module(_name)

# Routes, schemas and tables are worked out by the first build of a process; nothing is connected to.
with patch.dict(os.environ, settings_environment("postgresql://nobody@127.0.0.1:1/none", None)):
    mounted.build()
