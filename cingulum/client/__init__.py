"""Talk to a Cingulum server from Python: connect, search, load, slice."""

from __future__ import annotations

from cingulum.client.login import Login, NoLogin, find_login
from cingulum.http import Connection, Refused, ServerProblem, Unreachable

__all__ = ["Connection", "Login", "NoLogin", "Refused", "ServerProblem", "Unreachable", "find_login"]
