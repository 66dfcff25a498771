"""Filters of the list of water restrictions."""

from __future__ import annotations

from services.metadata.queries.list_filters.actions import ActionFilters


class WaterRestrictionFilters(ActionFilters):
    """Filters of the list of water restrictions: those of all actions."""
