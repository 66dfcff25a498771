"""The web pages; owns no table, uses only the public API."""
