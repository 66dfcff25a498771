"""The doors of metadata."""

from services.metadata.routes import (
    actions,
    browser_sessions,
    colony,
    house,
    identity,
    insertions,
    password,
    records,
    sessions,
    vocabularies,
    welfare,
)

routers = [
    identity.signing_in,
    identity.router,
    browser_sessions.router,
    password.router,
    house.router,
    vocabularies.router,
    colony.router,
    records.router,
    welfare.router,
    actions.router,
    sessions.router,
    insertions.router,
]
