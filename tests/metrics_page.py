"""``docs/metrics.md`` as data: what is exposed where, and which alerts there are."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from tests.offsets import ROOT

ROW = re.compile(r"^\| `(?P<name>[a-z_]+)` \| (?P<type>counter|gauge|histogram) \|(?P<labels>[^|]*)\| (?P<text>.+) \|$")
ALERT = re.compile(r"^\| `(?P<name>[A-Z]\w+)` \| (?P<remedy>.+) \|$")
WORD = re.compile(r"`([a-z_]+)`")


class Metric(NamedTuple):
    """One row. ``labels`` without Prometheus' own."""

    name: str
    type: str
    labels: frozenset[str]


@dataclass(frozen=True)
class Page:
    """The metrics by their section's title, and the alerts with what to do."""

    sections: dict[str, list[Metric]]
    alerts: dict[str, str]

    @property
    def metrics(self) -> dict[str, Metric]:
        return {one.name: one for section in self.sections.values() for one in section}

    def series(self) -> dict[str, frozenset[str]]:
        """Return every name that an expression may use, with its labels: a histogram has three."""
        found = {}
        for one in self.metrics.values():
            if one.type == "histogram":
                found[f"{one.name}_bucket"] = one.labels | {"le"}
                found |= dict.fromkeys((f"{one.name}_sum", f"{one.name}_count"), one.labels)
            else:
                found[one.name] = one.labels
        return found


def read_page() -> Page:
    sections: dict[str, list[Metric]] = {}
    alerts: dict[str, str] = {}
    title = ""
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
        elif found := ROW.match(line):
            labels = frozenset(WORD.findall(found["labels"]))
            sections.setdefault(title, []).append(Metric(found["name"], found["type"], labels))
        elif found := ALERT.match(line):
            alerts[found["name"]] = found["remedy"]
    return Page(sections, alerts)
