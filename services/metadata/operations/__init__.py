"""What metadata does, for HTTP and events alike. Nothing here commits; the transaction does."""
