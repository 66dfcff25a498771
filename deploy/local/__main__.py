"""`python -m deploy.local up|down|status|logs|datajoint`: the whole system on one machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from deploy.local import commands
from deploy.local.server import ServerError
from deploy.local.settings import LocalSettings, SetUpError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. Errors are printed as one sentence with the next step."""
    options = _parser().parse_args(argv)
    try:
        settings = LocalSettings.from_environment(os.environ, split=options.split, only=tuple(options.only))
        return _run_command(options, settings)
    except (SetUpError, ServerError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's answer
        return 1
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # `make logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run_command(options: argparse.Namespace, settings: LocalSettings) -> int:
    match options.command:
        case "up" if options.detach:
            return commands.up_detached(settings, _print_line)
        case "up":
            return commands.up(settings, _print_line, detached=options.behind)
        case "down":
            return commands.down(settings, _print_line)
        case "status":
            return commands.status(settings, _print_line)
        case "datajoint":
            return commands.manage_datajoint(settings, options.words)
    return commands.logs(settings, _print_line, options.names, lines=options.lines, follow=options.follow)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.set_defaults(split=False, only=[])
    verbs = parser.add_subparsers(dest="command", required=True)
    up = verbs.add_parser("up", help="start and run until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return once it is ready")
    up.add_argument("--split", action="store_true", help="each service in its own process")
    up.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="only these processes: postgres nats …"
    )
    up.add_argument("--behind", action="store_true", help=argparse.SUPPRESS)
    verbs.add_parser("down", help="stop what `up --detach` started")
    verbs.add_parser("status", help="show the processes")
    datajoint = verbs.add_parser(
        "datajoint", help="roles for DataJoint: grant PERSON, revoke PERSON, list, rebuild"
    )
    datajoint.add_argument("words", nargs=argparse.REMAINDER)
    logs = verbs.add_parser("logs", help="show the logs of the processes")
    logs.add_argument("names", nargs="*", help="all by default")
    logs.add_argument("--lines", type=int, default=20, help="lines per process (default 20)")
    logs.add_argument("--follow", action="store_true", help="follow new lines until Ctrl-C")
    return parser


def _print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    sys.exit(main())
