"""What the developer's commands do with a running copy: ask who runs where, its identity provider, its backends.

Everything here finds the copy through its record; nothing is guessed from default ports.
"""

import json
import re
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any, Final

from dev.up.state import RunFolder, RunRecord, load_record

ANSWER_WITHIN_S: Final = 5.0
NOT_RUNNING: Final = 1
# No proxy of the shell stands between us and loopback.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_LATENCY: Final = re.compile(r"^(\d+)(ms|s)$")


class CommandError(Exception):
    """A command that cannot be carried out; the message says why, and what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How a backend shall misbehave, as typed."""

    latency: str | None = None
    status: int | None = None
    probability: float | None = None
    silent: bool = False
    invalid: bool = False
    clear: bool = False

    def body(self) -> dict[str, Any]:
        """Return what the backend's fault control takes: only what was asked for."""
        wish: dict[str, Any] = {}
        if self.latency is not None:
            wish["latency_ms"] = _milliseconds(self.latency)
        if self.status is not None:
            wish["status"] = self.status
        if self.silent:
            wish["silent"] = True
        if self.invalid:
            wish["invalid"] = True
        if self.probability is not None:
            wish["probability"] = self.probability
        return wish


def nothing_runs(run: RunFolder) -> str:
    """Say so, with where we looked."""
    return f"nothing is running at port offset {run.offset} in {run.state}"


def running(run: RunFolder) -> RunRecord:
    """Return the record of the copy that runs in ``run``."""
    record = load_record(run)
    if record is None:
        raise CommandError(f"{nothing_runs(run)}; start it with: {run.command('up')}")
    if record.status == "starting":
        raise CommandError(f"the copy at port offset {run.offset} is still starting; ask again when it is ready")
    return record


def show_status(run: RunFolder, *, as_json: bool) -> int:
    """Print what runs where; returns the exit code."""
    record = load_record(run)
    if as_json:
        body = {"running": record is not None} | (asdict(record) if record else {"services": {}})
        print(json.dumps(body, indent=2))
    elif record is None:
        print(nothing_runs(run))
    else:
        name = max(len(service) for service in record.services) if record.services else 0
        print(f"{record.status}; supervisor pid {record.pid}, port offset {record.offset}")
        for service in record.services.values():
            print(f"  {service.name:<{name}}  {service.address or '':<24}  pid {service.pid:<7}  {service.log}")
    return 0 if record else NOT_RUNNING


def fetch_token(record: RunRecord, user: str) -> str:
    """Get an access token for ``user`` from the running identity provider."""
    answer = _ask("POST", f"{address_of(record, 'identity')}/dev/tokens", {"user": user})
    return str(answer["access_token"])


def set_fault(record: RunRecord, backend: str, wish: Fault) -> str:
    """Set, clear or read the fault of ``backend``; returns what now holds, in words."""
    able = [service.name for service in record.services.values() if service.faults]
    if backend not in able:
        raise CommandError(f"{backend!r} has no fault controls; these have: {', '.join(able) or 'none'}")
    url = f"{address_of(record, backend)}/__fault"
    if wish.clear:
        _ask("DELETE", url)
    elif body := wish.body():
        _ask("PUT", url, body)
    return f"{backend}: {_in_words(_ask('GET', url))}"


def _in_words(fault: dict[str, Any]) -> str:
    said = []
    if fault.get("latency_ms"):
        said.append(f"answers {fault['latency_ms']} ms later")
    if fault.get("status"):
        said.append(f"answers {fault['status']}")
    if fault.get("silent"):
        said.append("accepts and never answers")
    if fault.get("invalid"):
        said.append("answers what does not fit")
    often = fault.get("probability")
    if said and often is not None and often < 1:
        said.append(f"for {often:.0%} of its calls")
    return ", ".join(said) or "well"


def _milliseconds(text: str) -> int:
    found = _LATENCY.match(text)
    if not found:
        raise CommandError(f"--latency is a number with its unit, as in 800ms or 2s; not {text!r}")
    return int(found[1]) * (1000 if found[2] == "s" else 1)


def address_of(record: RunRecord, name: str) -> str:
    """Return where service ``name`` of the running copy is."""
    service = record.services.get(name)
    if service is None or service.address is None:
        raise CommandError(f"the running copy has no {name}; it has: {', '.join(record.services)}")
    return service.address


def _ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    # urllib, not httpx: these commands stand in shell substitutions, and httpx alone takes longer to import than
    # the whole exchange on loopback.
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"content-type": "application/json"}, method=method)  # noqa: S310 - from our record
    try:
        with _OPENER.open(request, timeout=ANSWER_WITHIN_S) as answer:
            said = answer.read()
    except urllib.error.HTTPError as error:
        raise CommandError(
            f"{method} {url} answered {error.code}: {error.read(300).decode(errors='replace')}"
        ) from error
    except OSError as error:
        raise CommandError(f"{method} {url} went wrong: {error}") from error
    return json.loads(said) if said else None
