"""The single origin of the API and the pages; owns no tables."""
