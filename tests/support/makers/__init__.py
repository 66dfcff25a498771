"""Rows that another service owns, made by that service's own models, with defaults for all that a test leaves out."""
