"""What scheduler does, for HTTP, events and its own sweeps. Nothing here commits; the transaction does."""
