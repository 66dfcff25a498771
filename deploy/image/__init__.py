"""The programs of the container images: `python -m deploy.image WORD …` (see `__main__.py`)."""
