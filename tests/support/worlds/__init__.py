"""Worlds in which something is hidden from somebody, and the requests that must not tell of it."""
