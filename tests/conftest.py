"""What holds for every test: the testing kit is there, and in CI nothing is skipped."""

import os
from collections.abc import Generator

import pytest

pytest_plugins = ["shared.testing.fixtures"]

IN_CI = os.environ.get("CI") == "true"
REMEDY = "In CI nothing is skipped: let .ci/run install what this test asks for."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one."""
    report = yield
    return _not_in_ci(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    return _not_in_ci(report)


def _not_in_ci(report: pytest.TestReport | pytest.CollectReport):
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\n{REMEDY}"
    return report
