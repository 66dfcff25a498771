"""Talk to a Cingulum server from Python: connect, search, load, slice."""

from __future__ import annotations

from cingulum.client.connection import Connection, Refused, ServerProblem, Unreachable
from cingulum.client.login import Login, NoLogin, find_login

__all__ = ["Connection", "Login", "NoLogin", "Refused", "ServerProblem", "Unreachable", "find_login"]
