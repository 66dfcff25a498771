"""Entry point of Alembic; the code is shared by all services."""

from libs.common.migrate import run_environment

run_environment()
