"""Python snippets that reproduce a page; they also run on a computer where ONE is not configured for this server."""

from __future__ import annotations


def client_code(origin: str, username: str, *lines: str) -> str:
    """Lines that use `one`, after lines that connect the stock ONE client to this server.

    On first use the client prompts for the password and the snippet sets the address of the data server. Afterwards
    ONE signs in with its stored token.
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
