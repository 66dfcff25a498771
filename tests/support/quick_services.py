"""What makes services cheap to start and to sign in to, since tests start hundreds of them in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from libs.common import observability
from services.metadata.operations import hashing


class PreparedRoutes:
    """Applications of a process share the routes of a router: only the first that includes it prepares them.

    That takes 0.3 s of CPU time for metadata. Nothing of an application is in them but its `dependency_overrides`,
    which we do not use. Where FastAPI includes a router by anything but one route that names its `original_router`,
    nothing is shared, and services only start slower.
    """

    def __init__(self) -> None:
        self._first: dict[int, BaseRoute] = {}

    def prepare(self, app: Starlette) -> None:
        """Instead of `prepare_routes`."""
        for n, route in enumerate(app.routes):
            router = getattr(route, "original_router", None)
            if router is not None:
                app.routes[n] = self._first.setdefault(id(router), route)
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
