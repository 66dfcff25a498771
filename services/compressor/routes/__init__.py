"""Routers of compressor."""

from services.compressor.routes import raw, recordings, slices, zarr

routers = [recordings.router, slices.router, raw.router, zarr.router]
