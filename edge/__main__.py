"""``python -m edge``: run, check, plan, status, compile, explain, routes, schema, keys."""

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from edge import keys
from edge.explain import explain, routes
from edge.load import load
from edge.plan import plan
from edge.prepare import prepare
from edge.rules import judge
from edge.run import RunSettings
from edge.run import run as run_edge
from edge.schema import schema_of
from edge.spec.files import EdgeSpec, FragmentSpec
from edge.status import show
from shared.telemetry.logs import configure_logs

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The declarative edge.")
app.add_typer(keys.app, name="keys")

File = Annotated[Path, typer.Argument(help="The edge's YAML.")]
DEFAULT_FILE = Path("edge/edge.yaml")
State = Annotated[Path, typer.Option(envvar="EDGE_STATE", help="Folder for what Envoy reads.")]
DEFAULT_STATE = Path(".local/edge")
Isolate = Annotated[
    bool, typer.Option(envvar="EDGE_ISOLATE", help="Let a broken route answer 500 by itself, and serve the others.")
]


@app.command()
def run(
    file: File = DEFAULT_FILE,
    *,
    state: State = DEFAULT_STATE,
    isolate: Isolate = False,
    concurrency: Annotated[int, typer.Option(envvar="EDGE_CONCURRENCY", min=1, help="Worker threads of Envoy.")] = 2,
    log_level: Annotated[str, typer.Option(envvar="EDGE_LOG_LEVEL", help="Of Envoy's own log.")] = "warning",
    drain_delay_s: Annotated[float, typer.Option(envvar="EDGE_DRAIN_DELAY_S", min=0)] = 0.0,
    drain_grace_s: Annotated[float, typer.Option(envvar="EDGE_DRAIN_GRACE_S", min=0)] = 10.0,
) -> None:
    """Run Envoy, reload when a file changes, drain on SIGTERM or Ctrl-C."""
    configure_logs("edge", "info", for_good=True)
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # its info lines count events; ours say what came of them
    settings = RunSettings(
        file=file,
        state=state,
        environment=os.environ,
        concurrency=concurrency,
        log_level=log_level,
        drain_delay_s=drain_delay_s,
        drain_grace_s=drain_grace_s,
        isolate=isolate,
    )
    raise typer.Exit(asyncio.run(run_edge(settings)))


@app.command()
def check(
    file: File = DEFAULT_FILE,
    *,
    envoy: Annotated[bool, typer.Option(help="Let Envoy look at the result too.")] = True,
    isolate: Isolate = False,
) -> None:
    """Report every problem at once, with file:line, value and remedy."""
    prepared = prepare(file, os.environ, ask_envoy=envoy, isolate=isolate)
    for problem in prepared.problems:
        print(problem)
    if prepared.compiled is None:
        raise typer.Exit(1)
    edge = prepared.compiled.edge
    print(f"{file}: ok, {sum(1 for _ in edge.routes())} routes, {len(edge.spec.clusters)} clusters")


@app.command("compile")
def compile_(file: File = DEFAULT_FILE) -> None:
    """Print what Envoy gets, as one static configuration."""
    prepared = prepare(file, os.environ, ask_envoy=False)
    for problem in prepared.problems:
        typer.echo(problem, err=True)
    if prepared.compiled is None:
        raise typer.Exit(1)
    print(json.dumps(prepared.compiled.whole(), indent=2, sort_keys=True))


@app.command("plan")
def plan_(
    file: File = DEFAULT_FILE,
    *,
    state: State = DEFAULT_STATE,
    isolate: Isolate = False,
) -> None:
    """Show what would change if the running edge read the file now: + added, - removed, ~ changed."""
    prepared = prepare(file, os.environ, isolate=isolate)
    for problem in prepared.problems:
        typer.echo(problem, err=True)
    if prepared.compiled is None:
        raise typer.Exit(1)
    for line in list(plan(prepared.compiled, state)) or ["nothing would change"]:
        print(line)


@app.command("status")
def status_(*, state: State = DEFAULT_STATE) -> None:
    """Say how the edge does that runs on this state folder; exit 1 when something is wrong with it."""
    lines, well = show(state)
    for line in lines:
        print(line)
    raise typer.Exit(0 if well else 1)


@app.command("explain")
def explain_(
    url: str,
    *,
    file: Annotated[Path, typer.Option(help="The edge's YAML.")] = DEFAULT_FILE,
    method: Annotated[str, typer.Option("--method", "-X")] = "GET",
    header: Annotated[list[str] | None, typer.Option("--header", "-H", help="name: value")] = None,
) -> None:
    """Say which route takes a request, and which policies stand on its way; asks nobody."""
    loaded = load(file, os.environ)
    if loaded.edge is None or loaded.problems or judge(loaded.edge):
        raise typer.BadParameter("the file has problems: run 'check' first")
    headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in header or [])}
    for line in explain(loaded.edge, url, method.upper(), headers):
        print(line)


@app.command("routes")
def routes_(*, file: Annotated[Path, typer.Option(help="The edge's YAML.")] = DEFAULT_FILE) -> None:
    """Print every route, who owns it, and what stands on its way, as JSON; asks nobody."""
    loaded = load(file, os.environ)
    if loaded.edge is None or loaded.problems or judge(loaded.edge):
        raise typer.BadParameter("the file has problems: run 'check' first")
    print(json.dumps(routes(loaded.edge), indent=1))


@app.command()
def schema(
    *, fragment: Annotated[bool, typer.Option(help="That of a BFF's own file.")] = False,
) -> None:  # fmt: skip
    """Print the JSON Schema of edge.yaml, for editors."""
    print(json.dumps(schema_of(FragmentSpec if fragment else EdgeSpec), indent=1))


if __name__ == "__main__":
    app()
