"""Routers."""

from services.registry.routes import (
    cache_tables,
    copies,
    data_notices,
    data_paths,
    datasets,
    downloads,
    files,
    missing_copies,
    registration,
    release_keys,
    release_links,
    releases,
    repositories,
    vocabularies,
    why_not,
)

routers = [
    repositories.router,
    vocabularies.router,
    registration.router,
    datasets.router,
    files.router,
    copies.router,
    missing_copies.router,
    why_not.router,
    downloads.router,
    data_notices.router,
    cache_tables.router,
    data_paths.router,
    releases.router,
    release_keys.router,
    release_links.router,
]
