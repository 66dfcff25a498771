"""`python -m deploy.local up|down|status|logs`: the whole system on one machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from deploy.local import commands
from deploy.local.server import ServerError
from deploy.local.settings import LocalSettings, SetUpError


def main(argv: Sequence[str] | None = None) -> int:
    """Answers the exit code; whatever is wrong ends in one sentence with the next step."""
    told = _parser().parse_args(argv)
    try:
        settings = LocalSettings.from_environment(os.environ, split=told.split, only=tuple(told.only))
        return _obey(told, settings)
    except (SetUpError, ServerError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # `make logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _obey(told: argparse.Namespace, settings: LocalSettings) -> int:
    match told.command:
        case "up" if told.detach:
            return commands.up_detached(settings, _say)
        case "up":
            return commands.up(settings, _say, detached=told.behind)
        case "down":
            return commands.down(settings, _say)
        case "status":
            return commands.status(settings, _say)
    return commands.logs(settings, _say, told.names, lines=told.lines, follow=told.follow)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.set_defaults(split=False, only=[])
    verbs = parser.add_subparsers(dest="command", required=True)
    up = verbs.add_parser("up", help="start, and stay until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return when it is ready")
    up.add_argument("--split", action="store_true", help="each service in a process of its own")
    up.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="only these processes: postgres nats …"
    )
    up.add_argument("--behind", action="store_true", help=argparse.SUPPRESS)
    verbs.add_parser("down", help="end what `up --detach` started")
    verbs.add_parser("status", help="show the parts")
    logs = verbs.add_parser("logs", help="show what the parts said")
    logs.add_argument("names", nargs="*", help="all when none is named")
    logs.add_argument("--lines", type=int, default=20, help="how many of each (default 20)")
    logs.add_argument("--follow", action="store_true", help="also what comes, until Ctrl-C")
    return parser


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    sys.exit(main())
