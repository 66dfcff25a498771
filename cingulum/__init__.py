"""Names, welfare, codec, analyses, client and worker for neurophysiology labs; knows no server."""
