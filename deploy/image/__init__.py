"""What runs in our container images: `python -m deploy.image WORD …` (see `__main__.py`)."""
