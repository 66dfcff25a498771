"""PostgreSQL 18 and NATS as private child processes: the programs come in wheels, nothing is installed.

    with Postgres.temporary() as postgres, Nats.temporary() as nats:
        connect(postgres.admin_url, nats.url)

Both listen on loopback only, at a port that is remembered while it is free, and want a random password that
is kept in their folder (0600). `start` returns when the server answers.
"""

from deploy.local.nats import Nats
from deploy.local.postgres import Postgres
from deploy.local.server import Server, ServerError

__all__ = ["Nats", "Postgres", "Server", "ServerError"]
