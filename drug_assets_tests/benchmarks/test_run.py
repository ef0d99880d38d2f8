"""Sections are measured from data to report, at sizes at which their figures mean nothing."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import checkouts, load, measuring, mentions, report, results, run, sections
from benchmarks.checkouts import BASE, HEAD
from benchmarks.plans import PLANS
from benchmarks.sections import SECTIONS, Section
from benchmarks.whole_run import COLD, ONE_MORE, ONE_MORE_XML
from drug_assets_tests.support import repositories, runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.checkouts import Checkout

TINY = replace(PLANS["tiny"], names=(7, 50), records=40, files=4)
#: Of the others, Spark's engine takes longer to start than all of these; the rest only differ in
#: the size of what they measure.
MEASURED = (
    *("start", "search", "titles", "xml", "million-csv", "forty-million", "document"),
    *("explorer", "exports", "serving"),
)
#: Those that are measured beside a base here, which is the working tree itself.
BESIDE = {"search", "titles", "xml", "million-csv"}


def in_this_process(
    function: str, checkout: Checkout | None = None, **arguments: Any
) -> measuring.Figures:
    """`measuring.measured`, but for the process of its own that it makes each time."""
    through_json = json.loads(json.dumps(arguments))
    figures: measuring.Figures = json.loads(
        json.dumps(measuring.figures_of(function, through_json))
    )
    return figures | {"peak_mib": 1.0, "peak_mib_per_process": 1.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    head = checkouts.here(runs.REPOSITORY)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(measuring, "measured", in_this_process)
        patched.setattr(run, "look", partial(load.look, seconds=0))
        # Other libraries are in another environment; Spark would take longer than all the rest.
        patched.setattr(measuring, "peer", _not_installed)
        for module in ("mentions", "pubmed_xml", "spark_cross_join"):
            patched.setattr(f"benchmarks.{module}.peer", _not_installed)
        for name in MEASURED:
            sides = {BASE: head, HEAD: head} if name in BESIDE else {HEAD: head}
            assert run.run(TINY, [SECTIONS[name]], sides, folder / "data", folder) == {}
    return folder


def _not_installed(module: str) -> Any:
    raise measuring.NotInstalledError(module)


@pytest.fixture(scope="module")
def figures(folder: Path) -> dict[str, Mapping[str, Any]]:
    return {taken.section: taken.figures for taken in results.kept(folder)}


@pytest.mark.processes
def test_every_part_is_measured(figures: dict[str, Mapping[str, Any]]) -> None:
    start = figures["start"][HEAD]
    assert start["run on data/"]["cpu_seconds"] > start["bare imports"]["cpu_seconds"] > 0
    assert start["above the imports"]["cpu_seconds"] > 0
    # Processor seconds, because on a busy machine the shorter command may take longer.
    assert 0 < start["top-journal"]["cpu_seconds"] < start["run on data/"]["cpu_seconds"]
    assert figures["search"]["side_by_side"]
    for compared in figures["search"]["side_by_side"]:
        assert compared["figures"]["drug_assets"]["found"] > 0
        assert compared["figures"][BASE]["found"] == compared["figures"]["drug_assets"]["found"]
        assert compared["figures"]["flashtext"] == {
            "not_installed": "flashtext",
            "peak_mib": 1.0,
            "peak_mib_per_process": 1.0,
            "runs": 1,
        }
    assert [size["titles"] for size in figures["titles"]["sizes"]] == [100, 300, 400]
    assert figures["million-csv"].keys() == {BASE, HEAD}
    for of_side in figures["million-csv"].values():
        assert list(of_side) == [COLD, ONE_MORE, "top-journal", "related-drugs"]
        for (ran,) in of_side.values():
            assert ran["seconds"] > 0
        assert of_side[COLD][0]["peak_mib"] > 50
        assert of_side[ONE_MORE][0]["steps"]["read_landing_zone"] > 0
    once = figures["forty-million"][COLD]
    assert once["store_megabytes"] > once["landed_megabytes"] > 0
    assert figures["xml"]["side_by_side"]["drug_assets"]["articles"] == 10
    assert figures["xml"]["landing"][HEAD]["articles"] == 20
    assert figures["document"]["writing"]["megabytes"] > 0
    pages = figures["explorer"]["pages"]
    assert [page["mentions"] for page in pages] == [21, 400]
    assert all(page["making"]["page_megabytes"] > 0 for page in pages)
    for page in pages:
        assert page["opening"].keys() & {"painted", "not_installed"}
    assert figures["exports"]["files"]["mentions.graphml"]["rows"] > 400
    assert min(figures["serving"]["rates"].values()) > 0


@pytest.mark.processes
def test_the_report_has_every_claim_and_names_no_machine_or_path(folder: Path) -> None:
    document = (folder / "RESULTS.md").read_text(encoding="utf-8")
    kept = "".join(path.read_text(encoding="utf-8") for path in (folder / "results").iterdir())
    for taken in results.kept(folder):
        assert f"## {SECTIONS[taken.section].title}\n" in document
        for claim in results.claims(taken):
            assert f"| {claim.text} | {claim.measured} |" in document
    assert (
        "PySpark's cross join at least 1,000 times slower | pyspark.sql is not installed"
        in document
    )
    left = [name for name in SECTIONS if name not in MEASURED]
    assert f'(`make bench ONLY="{" ".join(left)}"`)' in document
    for written in (document, kept):
        assert platform.node() not in written
        assert str(Path.home()) not in written
        assert str(runs.REPOSITORY) not in written
        assert str(Path(tempfile.gettempdir())) not in written


@pytest.mark.processes
def test_what_is_measured_beside_has_a_column_of_its_own(folder: Path) -> None:
    document = (folder / "RESULTS.md").read_text(encoding="utf-8")
    assert "|  | of cold | runs | seconds, base | seconds | without pages, base |" in document
    assert "| step | cold, base | cold | one more file, base | one more file |" in document
    assert "| titles | names | seconds, base | seconds |" in document
    assert "| 100 | 7 | drug_assets at the base |" in document
    assert "|  | seconds | processor seconds |" in document  # start has no base


def test_a_run_on_very_many_records_is_judged_with_pages_and_without() -> None:
    def ran(seconds: float, to_see: float) -> list[dict[str, Any]]:
        steps = {"explorer": to_see, "mentions": 1.0}
        return [{"seconds": seconds, "cpu_seconds": 9.0, "peak_mib": 2_000.0, "steps": steps}]

    runs_of_head = {COLD: ran(100, 20), ONE_MORE: ran(29, 10), ONE_MORE_XML: ran(31, 10)}
    of_base = {COLD: ran(120, 30), ONE_MORE: ran(70, 30), ONE_MORE_XML: ran(80, 30)}
    of_large = {BASE: of_base, HEAD: runs_of_head}
    plan = {"large_records": 10_000_000, "large_files": 300, "many_titles_names": 20_000}
    document = report.write_large(of_large, plan)
    assert f"| {ONE_MORE} | 29% | 1 | 70.0 | 29.0 | 40.0 | 19.0 |" in document
    assert f"| {ONE_MORE_XML} | 31% | 1 | 80.0 | 31.0 | 50.0 | 21.0 |" in document
    told = [(claim.measured, claim.holds) for claim in report.claims_of_large(of_large, plan)]
    assert told == [
        ("2,000 MiB", True),
        *(("29.0 s", True), ("19.0 s", True)),
        *(("31.0 s", False), ("21.0 s", False)),
    ]


def fake(name: str, measure: Any = lambda _: {"figure": 1}) -> Section:
    return Section(
        name,
        f"Section {name}",
        prepare=lambda _: None,
        measure=measure,
        write=lambda figures, _: f"measured: {figures['figure']}",
        claims=lambda figures, _: iter([report.Claim("one", f"{figures['figure']}", holds=True)]),
    )


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Section]:
    listed = {name: fake(name) for name in ("first", "second", "third")}
    monkeypatch.setattr(results, "SECTIONS", listed)
    monkeypatch.setattr(run, "SECTIONS", listed)
    monkeypatch.setattr(run, "look", partial(load.look, seconds=0))
    return listed


#: A checkout whose code no test runs.
HERE = checkouts.Checkout("`abc` A commit", runs.REPOSITORY, Path("python"))


def measure(folder: Path, *listed: Section) -> dict[str, Exception]:
    return run.run(TINY, listed, {HEAD: HERE}, folder / "data", folder)


def test_a_section_that_is_measured_again_leaves_the_others(
    tmp_path: Path, fakes: dict[str, Section]
) -> None:
    measure(tmp_path, fakes["first"], fakes["third"])
    before = (tmp_path / "results" / "third.json").read_bytes()
    measure(tmp_path, fake("first", lambda _: {"figure": 2.123456}))
    assert (tmp_path / "results" / "third.json").read_bytes() == before
    document = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "## Section first\n\nmeasured: 2.1235\n\n## Section third\n\nmeasured: 1\n" in document
    assert '(`make bench ONLY="second"`)' in document
    assert results.document(tmp_path) == document


def test_a_section_that_fails_keeps_its_figures_and_the_next_is_measured(
    tmp_path: Path, fakes: dict[str, Section]
) -> None:
    def fail(_: object) -> measuring.Figures:
        raise RuntimeError("no such luck")

    measure(tmp_path, fakes["first"])
    failed = measure(tmp_path, fake("first", fail), fakes["second"])
    assert {name: str(error) for name, error in failed.items()} == {"first": "no such luck"}
    assert [taken.section for taken in results.kept(tmp_path)] == ["first", "second"]


@pytest.mark.parametrize(
    ("busy", "others", "told"),
    [(0.1, 0.1, "idle"), (0.3, 0.0, "**busy**"), (0.0, 0.3, "**busy**"), (None, 0.0, "unknown")],
)
def test_how_busy_the_machine_was_is_told(
    tmp_path: Path, fakes: dict[str, Section], busy: float | None, others: float, told: str
) -> None:
    measure(tmp_path, fakes["first"])
    (taken,) = results.kept(tmp_path)
    machine = {**taken.machine, "cores": 2}
    results.keep(replace(taken, busy_before=busy, others=others, machine=machine), tmp_path)
    assert f"| {told} | 1 |" in results.document(tmp_path)


def test_a_section_that_is_unknown_is_refused(
    fakes: dict[str, Section], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["run", "--only", "first fourth"])
    with pytest.raises(SystemExit):
        run._main()
    assert "no such section: fourth; there are first second third" in capsys.readouterr().err


@pytest.mark.processes
def test_what_is_only_prepared_is_not_measured(
    tmp_path: Path, fakes: dict[str, Section], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[sections.Setting] = []
    fakes["second"] = replace(fakes["second"], prepare=prepared.append)
    where = ["--data", str(tmp_path / "data"), "--results", str(tmp_path), "--plan", "tiny"]
    monkeypatch.setattr("sys.argv", ["run", "--prepare", *where])
    assert run._main() == 0
    assert [setting.plan.name for setting in prepared] == ["tiny"]
    assert not (tmp_path / "results").exists()


@pytest.mark.processes
def test_a_run_that_the_disk_has_no_room_for_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, needed = SECTIONS["forty-million"], TINY.most_records * sections.DISK_BYTES_PER_RECORD
    setting = run.make_setting(TINY, section, {HEAD: HERE}, tmp_path)
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=needed - 1))
    with pytest.raises(sections.NoRoomError, match=r"200 records need .* of disk at most"):
        section.prepare(setting)
    assert [path for path in setting.data.iterdir() if path.is_dir()] == []

    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=needed))
    section.prepare(setting)
    (made,) = (path for path in setting.data.iterdir() if path.is_dir())
    # What is made needs no room again; another side would.
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk._replace(free=needed - 1))
    section.prepare(setting)
    with pytest.raises(sections.NoRoomError):
        section.prepare(replace(setting, sides={BASE: HERE, HEAD: HERE}))
    assert len(list((made / "zone").iterdir())) == TINY.most_files + 1


def test_tables_are_made_once_for_what_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def measured(function: str, folder: str, **_: Any) -> measuring.Figures:
        Path(folder).mkdir(exist_ok=True)
        made.append(function)
        return {}

    monkeypatch.setattr(measuring, "measured", measured)
    plan = replace(TINY, pages=((7, 21),), exported=(7, 21))
    setting = run.make_setting(plan, SECTIONS["exports"], {HEAD: HERE}, tmp_path)
    for _ in range(2):
        SECTIONS["exports"].prepare(setting)
        SECTIONS["explorer"].prepare(setting)
    assert made == ["explorer.made_tables"]
    monkeypatch.setattr(sections, "_MAKES_TABLES", ("explorer.py",))
    SECTIONS["exports"].prepare(setting)
    assert len(made) == 2


def test_a_section_without_a_base_is_measured_alone(tmp_path: Path) -> None:
    sides = {BASE: HERE, HEAD: HERE}
    assert run.make_setting(TINY, SECTIONS["start"], sides, tmp_path).base is HERE
    assert run.make_setting(TINY, SECTIONS["exports"], sides, tmp_path).base is None


@pytest.mark.processes
def test_a_commit_beside_runs_in_its_checkout_and_the_head_in_this_environment(
    tmp_path: Path,
) -> None:
    repository = repositories.repository(
        tmp_path / "repository",
        {
            "drug_assets/__init__.py": "",
            "drug_assets/mentions.py": "raise ImportError('it is another commit')\n",
            "benchmarks/mentions.py": "raise SystemExit('measurements of another commit')\n",
        },
    )
    lent = repositories.lent_python(tmp_path / "lent", "raise SystemExit('is not run')")
    (repository / "drug_assets" / "__init__.py").write_text("EDITED = 1\n")
    with run.made_sides(repository, "HEAD", tmp_path / "compared", base_python=lent) as sides:
        assert list(sides) == [BASE, HEAD]
        for side, checkout in sides.items():
            # Nothing of it is compiled while it is measured.
            assert list(checkout.tree.glob("drug_assets/__pycache__/*.pyc")), side
        own = str(sides[BASE].tree / "drug_assets")
        with pytest.raises(RuntimeError, match=r"of `.*` The first commit failed") as failed:
            measuring.measured("mentions.drug_assets", checkout=sides[BASE], titles=1)
    # This measurement ran, and what it measures is of the base, which cannot be imported.
    assert str(Path(mentions.__file__)) in str(failed.value)
    assert f'"{own}' in str(failed.value)
    assert "it is another commit" in str(failed.value)


def test_what_spark_takes_over_is_told() -> None:
    section = SECTIONS["spark-engine"]
    local = {"seconds": 9.0, "run": 100.0, "peak_mib": 1.0, "records": 1_000}
    spark = local | {"run": 20.0, "python": 90.0, "java": 10.0}
    told = section.write({"local": local, "spark": spark, "peak_mib": 1.0}, {})
    assert "| 1,000 | spark | 20 s | 90 s | 10 s | 120 s |" in told
    assert "| 1,000 | 80% | +20% |" in told
    assert section.write({"not_installed": "no Spark"}, {}) == "Not measured: no Spark."


def test_a_start_is_judged_by_the_bases() -> None:
    def side(run_seconds: float, above: float) -> dict[str, dict[str, float]]:
        return {
            "run on data/": {"seconds": run_seconds},
            "above the imports": {"seconds": above},
            "top-journal": {"seconds": 0.1},
        }

    def judged(base: dict[str, Any], head: dict[str, Any]) -> list[bool | None]:
        return [claim.holds for claim in report.claims_of_start({BASE: base, HEAD: head}, {})]

    assert judged(side(4, 2), side(4.1, 1)) == [True, True, True]
    assert judged(side(4, 2), side(4.3, 1.1)) == [True, False, False]
    assert [c.holds for c in report.claims_of_start({HEAD: side(4, 2)}, {})] == [True]


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
