"""Statements of compressor, by noun."""
