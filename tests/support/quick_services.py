"""What makes services cheap to start and to sign in to, since tests start hundreds of them in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from argon2 import PasswordHasher
from fastapi.routing import _IncludedRouter
from starlette.applications import Starlette

from libs.common import observability
from services.metadata.operations import hashing

# FastAPI's own, of an included router: its routes with their dependants and response fields.
_PREPARED = (
    "_effective_candidates",
    "_effective_candidates_version",
    "_effective_low_priority_routes",
    "_effective_low_priority_routes_version",
)


class PreparedRoutes:
    """Routes are prepared by the first application of a process that includes their router, and taken over by others.

    That takes 0.3 s of CPU time for metadata. Nothing of an application is in them but its `dependency_overrides`,
    which we do not use.
    """

    def __init__(self) -> None:
        self._first: dict[int, _IncludedRouter] = {}

    def prepare(self, app: Starlette) -> None:
        """Instead of `prepare_routes`."""
        for route in app.routes:
            if isinstance(route, _IncludedRouter):
                first = self._first.setdefault(id(route.original_router), route)
                if first is not route:
                    for name in _PREPARED:
                        setattr(route, name, getattr(first, name))
        observability.prepare_routes(app)


@contextmanager
def shared_routes() -> Iterator[None]:
    """All applications of this process share their prepared routes."""
    routes = PreparedRoutes()
    with (
        patch("libs.common.app.prepare_routes", routes.prepare),
        patch("services.portal.app.prepare_routes", routes.prepare),
    ):
        yield


@contextmanager
def quick_passwords() -> Iterator[None]:
    """A password is hashed at once, and such a hash is verified at once; in earnest it takes half a second."""
    with patch.object(hashing, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield
