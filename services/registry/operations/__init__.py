"""What registry does, for HTTP and events alike."""
