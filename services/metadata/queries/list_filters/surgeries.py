"""Filters of the list of surgeries."""

from __future__ import annotations

from services.metadata.queries.list_filters.actions import ActionFilters


class SurgeryFilters(ActionFilters):
    """Filters of the list of surgeries: those of all actions."""
