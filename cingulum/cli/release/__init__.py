"""`cingulum release`: make, sign, publish and check releases."""

from __future__ import annotations

import typer

from cingulum.cli.release import manifests, server


def register(app: typer.Typer) -> None:
    """Add the group `release`."""
    release = typer.Typer(
        help="Make, sign, publish and check releases. `keygen`, `sign` and `verify` need no server.",
        short_help="Make, sign, publish and check releases.",
        epilog="Example: `cingulum release verify manifest.json paper --key cingulum-release.pub`",
        no_args_is_help=True,
    )

    def add(name: str, command: object, example: str) -> None:
        release.command(name, epilog=f"Example: `cingulum release {name} {example}`")(command)  # type: ignore[type-var]

    add("keygen", manifests.keygen, "--out ~/keys/hilllab.key")
    add("sign", manifests.sign_manifest, "manifest.json --key ~/keys/hilllab.key")
    add("verify", manifests.verify_manifest, "manifest.json paper --key cingulum-release.pub")
    add("list", server.list_releases, "--url https://lab.example.org")
    add("create", server.create, "paper-2026 --title 'Spikes of 12 mice' --tag figure1")
    add("check", server.check, "paper-2026 --accept qc")
    add("publish", server.publish, "paper-2026 --key ~/keys/hilllab.key --until 2027-01-01")
    add("withdraw", server.withdraw, "paper-2026 --reason 'wrong clock in 3 sessions'")
    add("add-key", server.add_key, "~/keys/hilllab.pub --name hilllab")
    app.add_typer(release, name="release")
