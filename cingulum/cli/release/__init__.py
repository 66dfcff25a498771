"""`cingulum release`: make, sign, publish and check releases."""

from __future__ import annotations

import typer

from cingulum.cli.release import getting, manifests, server, sharing


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
    add("get", getting.get, "https://lab.example.org/releases/paper-2026 --out paper --key hilllab.pub")
    add("list", server.list_releases, "--url https://lab.example.org")
    add("create", server.create, "paper-2026 --title 'Spikes of 12 mice' --tag figure1")
    add("change", server.change, "paper-2026 --search project=maze --search default=true")
    add("check", server.check, "paper-2026 --accept qc")
    add("publish", server.publish, "paper-2026 --key ~/keys/hilllab.key --until 2027-01-01")
    add("withdraw", server.withdraw, "paper-2026 --reason 'wrong clock in 3 sessions'")
    add("link", sharing.link, "paper-2026 --label 'reviewer 2' --days 60")
    add("unlink", sharing.unlink, "paper-2026 0b6a1c52-3d3f-4e2a-9a53-5b2f7b1b7c11")
    add("consent", sharing.consent, "paper-2026")
    add("doi", sharing.doi, "paper-2026 10.5281/zenodo.1234567")
    add("reads", sharing.reads, "paper-2026")
    add(
        "pull",
        sharing.pull,
        "paper-2026 hilllab/Subjects/KS022/2019-12-10/001/alf/spikes.times.npy --reason 'wrong clock'",
    )
    add("revoke-key", sharing.revoke_key, "2F1AB8C0D4E5F607 --reason 'the laptop was stolen'")
    add("add-key", server.add_key, "~/keys/hilllab.pub --name hilllab")
    app.add_typer(release, name="release")
