"""A summary, after the tests, of how their runs ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from drug_assets_tests.faults.test_whole_runs import OUTCOME

if TYPE_CHECKING:
    import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum up what the tests recorded, in whatever processes they ran."""
    outcomes: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        if report.when == "call":
            outcomes.update(value for name, value in report.user_properties if name == OUTCOME)
    if outcomes:
        terminalreporter.section("whole runs while something failed")
        for outcome, count in sorted(outcomes.items()):
            terminalreporter.line(f"{count:6,} {outcome}")
        terminalreporter.line(f"{outcomes.total():6,} runs in all")
