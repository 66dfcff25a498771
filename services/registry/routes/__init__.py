"""The doors of registry."""

from services.registry.routes import (
    cache,
    copies,
    data,
    datasets,
    downloads,
    registration,
    repositories,
    words,
)

routers = [
    repositories.router,
    words.router,
    registration.router,
    datasets.router,
    copies.router,
    downloads.router,
    cache.router,
    data.router,
]
