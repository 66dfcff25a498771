"""Statements of transfer, by noun."""
