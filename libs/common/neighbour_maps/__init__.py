"""Fields of the free filters on rows of other services: the same wherever a path starts."""

from libs.common.neighbour_maps.metadata import NAMED_USERS, MetadataMaps
from libs.common.neighbour_maps.tasks import is_task_visible, task_map

__all__ = ["NAMED_USERS", "MetadataMaps", "is_task_visible", "task_map"]
