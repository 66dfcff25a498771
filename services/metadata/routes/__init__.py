"""The doors of metadata."""

from services.metadata.routes import (
    actions,
    colony,
    house,
    identity,
    insertions,
    records,
    sessions,
    vocabularies,
    welfare,
)

routers = [
    identity.signing_in,
    identity.router,
    house.router,
    vocabularies.router,
    colony.router,
    records.router,
    welfare.router,
    actions.router,
    sessions.router,
    insertions.router,
]
