"""What transfer does, for HTTP and deadlines alike."""
