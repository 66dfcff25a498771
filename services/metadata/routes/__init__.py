"""The doors of metadata."""

from services.metadata.routes import (
    actions,
    browser_sessions,
    colony,
    house,
    identity,
    insertions,
    oidc,
    password,
    records,
    second_factor,
    sessions,
    vocabularies,
    welfare,
)

routers = [
    identity.signing_in,
    identity.router,
    browser_sessions.router,
    password.router,
    second_factor.router,
    oidc.router,
    house.router,
    vocabularies.router,
    colony.router,
    records.router,
    welfare.router,
    actions.router,
    sessions.router,
    insertions.router,
]
