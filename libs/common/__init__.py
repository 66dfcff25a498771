"""What the services share; knows no service."""
