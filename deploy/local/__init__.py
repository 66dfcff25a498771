"""The local system: PostgreSQL, NATS and the services as child processes of one supervisor."""
