"""HTTP client of the public API: one connection class for people, workers and agents."""

from __future__ import annotations

from cingulum.http.connection import Connection
from cingulum.http.downloads import OtherSize, data_path, etag_file
from cingulum.http.errors import Refused, ServerProblem, Unreachable
from cingulum.http.retries import ATTENDED, UNATTENDED, RetryPolicy

__all__ = [
    "ATTENDED",
    "UNATTENDED",
    "Connection",
    "OtherSize",
    "Refused",
    "RetryPolicy",
    "ServerProblem",
    "Unreachable",
    "data_path",
    "etag_file",
]
