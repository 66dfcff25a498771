"""PostgreSQL 18 and NATS as private child processes: the programs come in wheels, nothing is installed.

    with Postgres.temporary() as postgres, Nats.temporary() as nats:
        connect(postgres.admin_url, nats.url)

Both listen on loopback only, on a stored port if it is free, and require a random password that is stored in their
folder (0600). `start` returns when the server accepts connections.
"""

from deploy.local.nats import Nats
from deploy.local.postgres import Postgres
from deploy.local.server import Server, ServerError

__all__ = ["Nats", "Postgres", "Server", "ServerError"]
