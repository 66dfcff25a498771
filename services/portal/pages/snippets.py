"""The Python that reproduces a page, as somebody can paste it on a computer that never saw this server."""

from __future__ import annotations


def client_code(origin: str, username: str, *lines: str) -> str:
    """Lines that use `one`, behind those that connect the stock ONE client with this server.

    The first time on a computer the client knows neither the password nor where the server's files are: it asks for
    the one, and is told the other. Afterwards it signs in with the token that it has kept.
    """
    return "\n".join(
        (
            "from getpass import getpass",
            "",
            "from one import params",
            "from one.api import ONE",
            "",
            f"url, user = {origin!r}, {username!r}",
            "settings = params.get(url, silent=True)",
            "is_known = user in getattr(settings, 'TOKEN', {}) and settings.HTTP_DATA_SERVER == f'{url}/data'",
            "if not is_known:  # the first time on this computer",
            "    password = getpass(f'Password of {user} at {url}: ')",
            "    ONE(base_url=url, username=user, password=password, silent=True)",
            "    settings = params.get(url, silent=True)",
            "    settings = settings.set('HTTP_DATA_SERVER', f'{url}/data').set('HTTP_DATA_SERVER_LOGIN', user)",
            "    settings = settings.set('HTTP_DATA_SERVER_PWD', settings.TOKEN[user]['token'])",
            "    params.save(settings, url)",
            "",
            "one = ONE(base_url=url, username=user)",
            *lines,
        )
    )
