"""Alembic's door: the body is the same for all services."""

from libs.common.migrate import run_environment

run_environment()
