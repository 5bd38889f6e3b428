"""``docs/metrics.md`` as data: what is exposed where, and which alerts there are; and a scrape, to hold against it."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from tests.offsets import ROOT

ROW = re.compile(r"^\| `(?P<name>[a-z_]+)` \| (?P<type>counter|gauge|histogram) \|(?P<labels>[^|]*)\| (?P<text>.+) \|$")
ALERT = re.compile(r"^\| `(?P<name>[A-Z]\w+)` \| (?P<remedy>.+) \|$")
# Prometheus' client adds the moment of each counter's birth, which is no metric of ours.
BORN = "_created"
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


def scraped(text: str) -> dict[str, Family]:
    """Return the families of a scrape by the names that Prometheus gives them."""
    return {named(one): one for one in text_string_to_metric_families(text) if not one.name.endswith(BORN)}


def named(family: Family) -> str:
    """Return a family's name; the parser takes a counter's ending away."""
    ours = family.name.startswith("frontage_")
    return f"{family.name}_total" if ours and family.type == "counter" else family.name


def misfits(found: dict[str, Family], wanted: list[Metric]) -> list[str]:
    """Return how a scrape and the page differ: names one has alone, types, labels."""
    known = {one.name: one for one in wanted}
    wrong = [f"{name}: exposed or documented alone" for name in found.keys() ^ known.keys()]
    for name in found.keys() & known.keys():
        if found[name].type != known[name].type:
            wrong.append(f"{name}: is a {found[name].type}")
        for sample in found[name].samples:
            labels = set(sample.labels) - {"le"}
            if not sample.name.endswith(BORN) and labels != known[name].labels:
                wrong.append(f"{name}: has {labels}")
    return wrong
