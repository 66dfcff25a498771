"""Routers of compressor."""

from services.compressor.routes import raw, recordings, slices

routers = [recordings.router, slices.router, raw.router]
