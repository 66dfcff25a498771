"""Rules of repositories."""

from __future__ import annotations

from libs.common.problem import BadRequest, Conflict


def own_data_url(url: str, base_url: str) -> str:
    """The address of our own data server as it is stored, whatever name of this server a client used for it.

    >>> own_data_url("https://lab.org/data", "https://lab.org"), own_data_url("https://b.org/data/", "https://lab.org")
    ('/data/', 'https://b.org/data/')
    """
    return "/data/" if f"{url.rstrip('/')}/" == f"{base_url}/data/" else url


def check_data_url(url: str | None) -> None:
    """Raises BadRequest for an address that no client could read files below.

    >>> check_data_url("/data/"), check_data_url("https://data.lab/"), check_data_url(None)
    (None, None, None)
    """
    if url is not None and not (url.startswith(("http://", "https://")) or url == "/data/"):
        raise BadRequest(
            fields={
                "data_url": ["Use /data/ (of this server), or a URL that begins with http:// or https://."]
            }
        )


def check_store_change(before: str | None, after: object, *, has_copies: bool) -> None:
    """Raises Conflict for another store of a repository that has copies: their bytes are in the first one."""
    if before != after and has_copies:
        raise Conflict(fields={"store": ["It already has copies: create another repository."]})
