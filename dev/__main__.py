"""The developer's commands: ``python -m dev up | down | status | token | fault | trace | contract-check | …``.

Owns names and options; what each does stands in ``dev/up/`` and ``dev/commands.py``. argparse, because these stand
in shell substitutions and the player starts through here: typer takes 0.3 s to import, more than most of them run.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from dev import commands
from dev.up.detach import detach, take_down
from dev.up.state import RunFolder, RunRecord
from dev.up.terminal import own_terminal

ROOT: Final = Path(__file__).resolve().parent.parent


def up(given: argparse.Namespace, run: RunFolder) -> int:
    """Play compose.yaml as local processes."""
    compose = given.compose.resolve()
    if given.detach:
        place = ["--state", str(run.state), "--port-offset", str(run.offset), "--compose", str(compose)]
        return detach(["-m", "dev", "up", *place], run, ROOT)
    from dev.up.play import Request, play  # noqa: PLC0415 - YAML and asyncio are the player's alone

    with own_terminal(os.environ):
        return play(Request(compose=compose, run=run))


def down(_: argparse.Namespace, run: RunFolder) -> int:
    """Drain and stop a running copy."""

    def tell(record: RunRecord) -> None:
        print(f"stopping {len(record.services)} services ...", flush=True)

    print("stopped" if take_down(run, tell) else commands.nothing_runs(run))
    return 0


def status(given: argparse.Namespace, run: RunFolder) -> int:
    """Say what runs where; exit code 1 when nothing does."""
    return commands.show_status(run, as_json=given.json)


def token(given: argparse.Namespace, run: RunFolder) -> int:
    """Print an access token for a user, and nothing else."""
    print(commands.fetch_token(commands.running(run), given.user))
    return 0


def fault(given: argparse.Namespace, run: RunFolder) -> int:
    """Make a sample backend misbehave, or well again; without an option, say how it is."""
    wish = commands.Fault(
        latency=given.latency,
        status=given.status,
        probability=given.probability,
        silent=given.silent,
        invalid=given.invalid,
        clear=given.clear,
    )
    print(commands.set_fault(commands.running(run), given.backend, wish))
    return 0


def trace(given: argparse.Namespace, run: RunFolder) -> int:
    """Draw the waterfall of a request."""
    from dev.waterfalls import draw_trace  # noqa: PLC0415 - httpx and the drawing are this command's alone

    print(draw_trace(commands.running(run), given.which))
    return 0


def contract_check(given: argparse.Namespace, _: RunFolder) -> int:
    """Name every breaking and dangerous change of a contract, and who reads it; 1 when one breaks without a waiver."""
    from dev.contracts.command import judge  # noqa: PLC0415 - GraphQL's parser is this command's alone

    return judge(given.root.resolve(), given.base)


def contract_ship(given: argparse.Namespace, _: RunFolder) -> int:
    """Keep what a client that ships today reads of its BFF's contract."""
    from dev.contracts.command import keep  # noqa: PLC0415 - same

    return keep(given.root.resolve(), given.bff, given.client)


def clients(given: argparse.Namespace, _: RunFolder) -> int:
    """Make the typed clients of every contract anew, in dev/clients/generated."""
    from dev.clients.command import make  # noqa: PLC0415 - same

    return make(given.root.resolve())


def contract_lint(given: argparse.Namespace, _: RunFolder) -> int:
    """Hold every OpenAPI document against Redocly's recommended rules; 1 when one of them finds anything."""
    from dev.clients.command import judge  # noqa: PLC0415 - same

    return judge(given.root.resolve())


def new_bff(given: argparse.Namespace, _: RunFolder) -> int:
    """Make a BFF that runs: its folder and tests, its route, service, image, manifests, lock and contract."""
    from dev.scaffold.command import make  # noqa: PLC0415 - same

    return make(given.root.resolve(), given.name, given.style, given.accept)


def remove_bff(given: argparse.Namespace, _: RunFolder) -> int:
    """Take a BFF away, with everything that new-bff made for it."""
    from dev.scaffold.command import unmake  # noqa: PLC0415 - same

    return unmake(given.root.resolve(), given.name)


def parser() -> argparse.ArgumentParser:
    """Return every command with its options."""
    whole = argparse.ArgumentParser(prog="python -m dev", description=(__doc__ or "").splitlines()[0])
    subs = whole.add_subparsers(required=True, metavar="COMMAND")
    add = _command(subs, up)
    add("--detach", action="store_true", help="return when all is ready; the copy goes on in the background")
    add("--compose", type=Path, default=ROOT / "compose.yaml", help="what to play (compose.yaml)")
    _command(subs, down)
    _command(subs, status)("--json", action="store_true", help="for programs")
    _command(subs, token)("user", help="whose, as in u-1")
    add = _command(subs, fault)
    add("backend", help="a sample backend: users, orders, alerts")
    add("--latency", metavar="TIME", help="answer later, as in 800ms or 2s")
    add("--status", type=int, help="answer this status instead")
    add("--silent", action="store_true", help="accept and never answer")
    add("--invalid", action="store_true", help="answer what does not fit")
    add("--probability", type=float, help="how often, from 0 to 1")
    add("--clear", action="store_true", help="be well again")
    _command(subs, trace)("which", nargs="?", default="last", help="a trace id, or last")
    add = _command(subs, contract_check, running=False)
    add("--base", help="a commit to compare with (HEAD, or the one before it when nothing was edited)")
    add = _command(subs, contract_ship, running=False)
    add("bff", help="whose contract: mobile, web")
    add("client", help="its name and version, as in ios-1.0; bffs/<bff>/clients has its selection")
    _command(subs, clients, running=False)
    _command(subs, contract_lint, running=False)
    add = _command(subs, new_bff, running=False)
    add("name", help="2 to 20 small letters and digits, as in partner")
    add("--style", choices=("rest", "graphql"), default="rest", help="which surface (rest)")
    add("--accept", choices=("jwt", "api_key"), default="jwt", help="what its callers show (jwt)")
    _command(subs, remove_bff, running=False)("name", help="whose folder bffs/<name> goes")
    return whole


def _command(
    subs: Any, run: Callable[[argparse.Namespace, RunFolder], int], *, running: bool = True
) -> Callable[..., Any]:
    """Add a command; ``running``: it is about a running copy. The others are about the tree."""
    sub = subs.add_parser(run.__name__.replace("_", "-"), help=run.__doc__, description=run.__doc__)
    sub.set_defaults(run=run, state=ROOT / ".local", port_offset=0)
    add: Callable[..., Any] = sub.add_argument
    if running:
        add("--state", type=Path, default=ROOT / ".local", help="certificates, logs and sample data (.local)")
        add("--port-offset", type=int, default=0, help="shifts every port: copies run side by side")
    else:
        add("--root", type=Path, default=ROOT, help="another tree than this one")
    return add


def main() -> int:
    """Run a command; what a person can mend is said in a line, without a traceback."""
    given = parser().parse_args()
    try:
        return int(given.run(given, RunFolder(given.state.resolve(), given.port_offset)))
    except commands.CommandError as error:
        print(str(error), file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
