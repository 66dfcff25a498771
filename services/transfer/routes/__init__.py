"""Routers of transfer."""

from services.transfer.routes import bundles, parts, uploads

routers = [uploads.router, parts.router, bundles.router]
