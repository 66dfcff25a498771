"""The routes of metadata."""

from services.metadata.routes import (
    browser_sessions,
    house,
    identity,
    insertions,
    oidc,
    password,
    second_factor,
    sessions,
    subjects,
    surgeries,
    vocabularies,
    water_administrations,
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
    subjects.router,
    water_administrations.router,
    welfare.router,
    surgeries.router,
    sessions.router,
    insertions.router,
]
