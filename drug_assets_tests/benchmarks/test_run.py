"""The benchmarks run from data to report, at sizes at which their figures mean nothing."""

from __future__ import annotations

import json
import platform
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measuring, mentions, report, run

TINY = replace(run.PLANS["tiny"], names=(7, 50), records=40, files=4)


def in_this_process(function: str, **arguments: Any) -> measuring.Figures:
    """`measuring.measured`, but for the process of its own that it makes each time."""
    through_json = json.loads(json.dumps(arguments))
    figures: measuring.Figures = json.loads(
        json.dumps(measuring.figures_of(function, through_json))
    )
    return figures | {"peak_mib": 1.0, "peak_mib_per_process": 1.0}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[measuring.Figures, str]:
    folder = tmp_path_factory.mktemp("benchmarks")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(measuring, "measured", in_this_process)
        # Peers are another environment's; Spark would take longer to start than all the rest.
        patched.setattr(measuring, "peer", _not_installed)
        for module in ("mentions", "pubmed_xml", "spark_cross_join"):
            patched.setattr(f"benchmarks.{module}.peer", _not_installed)
        figures = run.run(TINY, folder / "data", folder / "RESULTS.md")
    return figures, (folder / "RESULTS.md").read_text(encoding="utf-8")


def _not_installed(module: str) -> Any:
    raise measuring.NotInstalledError(module)


@pytest.mark.processes
def test_every_part_is_measured(results: tuple[measuring.Figures, str]) -> None:
    figures, _ = results
    start = figures["start"]
    assert start["run on data/"]["cpu_seconds"] > start["bare imports"]["cpu_seconds"] > 0
    assert start["above the imports"]["cpu_seconds"] > 0
    assert 0 < start["top-journal"]["seconds"] < start["run on data/"]["seconds"]
    for compared in figures["mentions"]["side_by_side"]:
        assert compared["figures"]["drug_assets"]["found"] > 0
        assert compared["figures"]["flashtext"] == {
            "not_installed": "flashtext",
            "peak_mib": 1.0,
            "peak_mib_per_process": 1.0,
            "runs": 1,
        }
    for kind in ("cold", "one more file"):
        for runs in (figures["whole_run"]["csv"], figures["large_run"]):
            (ran,) = runs[kind]
            assert ran["seconds"] > 0
            assert ran["peak_mib"] > 50
    assert figures["xml"]["side_by_side"]["drug_assets"]["articles"] == 10
    assert figures["xml"]["landing"]["articles"] == 20
    assert figures["graph"]["writing"]["megabytes"] > 0
    assert [page["mentions"] for page in figures["explorer"]] == [21, 400]
    assert all(page["making"]["page_megabytes"] > 0 for page in figures["explorer"])
    for page in figures["explorer"]:
        assert page["opening"].keys() & {"painted", "not_installed"}


@pytest.mark.processes
def test_the_report_has_every_claim_and_names_no_machine_or_path(
    results: tuple[measuring.Figures, str],
) -> None:
    figures, document = results
    for claim in report.claims(figures):
        assert f"| {claim.text} | {claim.measured} |" in document
    assert (
        "PySpark's cross join at least 1,000 times slower | pyspark.sql is not installed"
        in document
    )

    assert platform.node() not in document
    assert str(Path.home()) not in document
    assert str(Path(tempfile.gettempdir())) not in document


@pytest.mark.processes
def test_a_measurement_is_a_process_of_its_own_and_its_memory_is_seen(tmp_path: Path) -> None:
    names, folder = tmp_path / "names", str(tmp_path / "graph")
    names.write_text("aspirin\nethanol\n", encoding="utf-8")
    figures = measuring.measured(
        "graph_document.made_tables",
        folder=folder,
        mentions=10,
        names_file=str(names),
        names=2,
    )
    assert figures["mentions"] == 10
    assert figures["peak_mib_per_process"] > 20  # an interpreter with Polars has more


@pytest.mark.processes
def test_a_measurement_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"graph_document\.written .*failed:\n[\s\S]*\.parquet"):
        measuring.measured("graph_document.written", folder=str(tmp_path))


@pytest.mark.parametrize(
    ("title", "name", "is_ours", "reason"),
    [
        ("on éthanol.", "éthanol", True, mentions.ACCENT),
        ("on ethanol_2.", "ethanol", True, mentions.UNDERSCORE),
        ("on ethanolé.", "ethanol", False, mentions.BEYOND_ASCII),
        ("on βethanol.", "ethanol", False, mentions.BEYOND_ASCII),
        ("on x(+)-catechin.", "(+)-catechin", False, mentions.NO_LOOK_LEFT),
        ("on acid ethanol.", "ethanol", True, mentions.NO_GOING_BACK),
        ("on ethanol.", "ethanol", True, None),
        ("on ethanol.", "ethanol", False, None),
    ],
)
def test_a_difference_from_flashtext_has_a_reason_or_none(
    title: str, name: str, is_ours: bool, reason: str | None
) -> None:
    names = ["ethanol", "(+)-catechin", "acid ethanol salt"]
    beginnings = {n[:end] for n in names for end in range(1, len(n) + 1)}
    place = (0, title.index(name), title.index(name) + len(name))
    assert mentions.reason_of(title, place, is_ours, beginnings) == reason
