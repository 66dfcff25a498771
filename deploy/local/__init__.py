"""The embedded default: real PostgreSQL and NATS as private child processes, and the services beside them."""
