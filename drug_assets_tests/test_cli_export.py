"""`drug-assets export`: what it writes where, what it says of it, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import networkx
import openpyxl
import polars as pl
import pytest

from drug_assets.exports import FORMATS
from drug_assets_tests.support import commands

if TYPE_CHECKING:
    from click.testing import Result

    from drug_assets_tests.support import runs
from drug_assets_tests.support.local_servers import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.usefixtures("no_settings_of_the_machine"),
]


def asked(*arguments: str | Path) -> Result:
    return commands.asked("export", *arguments)


def written(run: runs.Run, *arguments: str) -> Result:
    result = asked(*arguments, "--store", run.store)
    assert result.exit_code == 0, result.stderr
    return result


def mentions_of(run: runs.Run) -> pl.DataFrame:
    return pl.read_parquet(run.store / "latest" / "mentions.parquet")


def read_csv(path: str) -> list[dict[str, str]]:
    text = Path(path).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_graph_of_the_sample_has_the_nodes_and_edges_of_its_tables(
    sample_run: runs.Run,
) -> None:
    result = written(sample_run, "graphml", "--to", "graph.graphml")
    graph = networkx.read_graphml("graph.graphml")
    mentions = mentions_of(sample_run)
    publications = mentions.unique(["source", "publication_id"])
    with_journal = publications["journal_id"].drop_nulls()
    nodes = mentions["drug_id"].n_unique() + publications.height + with_journal.n_unique()
    edges = mentions.height + with_journal.len()
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (nodes, edges)
    dates = [d.get("date") for *_, d in graph.edges(data=True) if d["kind"] == "mentioned_in"]
    assert sorted(filter(None, dates)) == sorted(mentions["date"].drop_nulls().dt.to_string("iso"))
    assert result.stdout == f"graph.graphml: {nodes} nodes, {edges} edges\n"
    assert result.stderr == ""


def test_the_drugs_and_journals_of_the_sample_are_those_of_the_table(sample_run: runs.Run) -> None:
    result = written(sample_run, "xlsx", "--of", "journals", "--to", "journals.xlsx")
    table = pl.read_parquet(sample_run.store / "latest" / "journal_drugs.parquet")
    head, *rows = openpyxl.load_workbook("journals.xlsx")["journals"].iter_rows(values_only=True)
    found = pl.DataFrame([dict(zip(map(str, head), row, strict=True)) for row in rows])
    shared = [name for name in table.columns if not name.endswith("_date")]
    key = ["journal_id", "drug_id"]
    assert found.select(shared).sort(key).equals(table.select(shared).sort(key))
    firsts = found.sort(key)["first_date"].cast(pl.Date)
    assert firsts.to_list() == table.sort(key)["first_date"].to_list()
    without = mentions_of(sample_run).filter(pl.col("journal_id").is_null()).height
    assert result.stderr == f"left out, without a journal: {without} mentions\n"


def test_any_name_of_several_drugs_and_a_class_are_understood(sample_run: runs.Run) -> None:
    result = written(
        sample_run, "csv", "--drug", "ASPIRIN", "--drug", "C10AA05", "--to", "some.csv"
    )
    mentions = mentions_of(sample_run)
    wanted = mentions.filter(pl.col("drug").is_in(["acetylsalicylic acid", "atorvastatin"]))
    assert len(read_csv("some.csv")) == wanted.height
    assert {row["drug"] for row in read_csv("some.csv")} == set(wanted["drug"])
    assert result.stderr.splitlines() == [
        "ASPIRIN: acetylsalicylic acid",
        "C10AA05: the drugs of the class, atorvastatin",
    ]


def test_a_period_counts_what_may_lie_in_it_and_says_what_it_left_out(
    sample_run: runs.Run,
) -> None:
    result = written(sample_run, "csv", "--since", "2019-06", "--until", "2021", "--to", "some.csv")
    dates = [(row["date"], row["date_precision"]) for row in read_csv("some.csv")]
    assert dates
    for date, precision in dates:
        first = "2019" if precision in {"year", "season"} else "2019-06"
        assert first <= date[: len(first)]
        assert date[:4] <= "2021"
    mentions = mentions_of(sample_run)
    undated = mentions["date"].null_count()
    outside = mentions.height - undated - len(dates)
    assert result.stderr.splitlines() == [
        f"left out, without a date: {undated} mentions",
        f"left out, outside the period since 2019-06-01 until 2021-12-31: {outside} mentions",
    ]


def test_a_file_whose_name_says_so_is_packed(sample_run: runs.Run) -> None:
    written(sample_run, "node-link", "--to", "graph.json.gz")
    written(sample_run, "node-link", "--to", "graph.json")
    assert gzip.decompress(Path("graph.json.gz").read_bytes()) == Path("graph.json").read_bytes()
    assert asked("xlsx", "--to", "a.xlsx.gz", "--store", sample_run.store).exit_code == 2


def test_the_standard_output_has_the_file_and_nothing_else(sample_run: runs.Run) -> None:
    result = written(sample_run, "cytoscape", "--to", "-", "--drug", "aspirin")
    graph = networkx.cytoscape_graph(json.loads(result.stdout))
    assert "drug:acetylsalicylic acid" in graph
    assert result.stderr.startswith("standard output: ")


@pytest.mark.processes
@pytest.mark.parametrize("written_format", ["node-link", "xlsx"])
def test_a_reader_that_goes_away_is_no_error_of_the_program(
    sample_run: runs.Run, written_format: str
) -> None:
    command = [sys.executable, "-m", "drug_assets.cli", "export", written_format, "--to", "-"]
    with subprocess.Popen(
        [*command, "--store", str(sample_run.store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_a_file_is_replaced_only_by_a_whole_one(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("real.csv").write_text("former", encoding="utf-8")
    Path("link.csv").symlink_to("real.csv")

    def fail(*_: object, **__: object) -> None:
        raise ValueError("in the middle")

    with monkeypatch.context() as failing:
        failing.setattr("drug_assets.exports.sheets.write_csv", fail)
        with pytest.raises(ValueError, match="in the middle"):
            asked("csv", "--to", "link.csv", "--store", sample_run.store)
    assert sorted(path.name for path in Path().iterdir()) == ["link.csv", "real.csv"]
    assert Path("real.csv").read_text(encoding="utf-8") == "former"
    written(sample_run, "csv", "--to", "link.csv")
    assert Path("link.csv").is_symlink()
    assert len(read_csv("real.csv")) == mentions_of(sample_run).height


@pytest.mark.processes
def test_what_a_killed_command_leaves_goes_with_the_next_one(sample_run: runs.Run) -> None:
    scratch = Path("scratch").resolve()
    scratch.mkdir()

    def export(before: str) -> int:
        command = ["export", "xlsx", "--to", "x.xlsx", "--store", str(sample_run.store)]
        script = f"{before}\nfrom drug_assets.cli import main\nmain({command!r})"
        environment = {**os.environ, "TMPDIR": str(scratch)}
        arguments = [sys.executable, "-c", script]
        return subprocess.run(arguments, env=environment, check=False, timeout=300).returncode

    # The first is killed when all sheets are written, before they are packed into one file.
    assert (
        export(
            "import os, signal, xlsxwriter\n"
            "kill = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
            "xlsxwriter.workbook.ZipFile = kill"
        )
        == -signal.SIGKILL
    )
    assert [path for path in scratch.rglob("*") if path.is_file() and path.stat().st_size]
    assert export("") == 0
    assert list(scratch.iterdir()) == []
    assert Path("x.xlsx").stat().st_size


def test_a_pipe_is_written_to_and_stays(sample_run: runs.Run) -> None:
    os.mkfifo("pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_bytes()), daemon=True)
    reader.start()
    written(sample_run, "csv", "--to", "pipe")
    reader.join(PATIENCE_SECONDS)
    assert read[0].startswith(b"\xef\xbb\xbfdrug,")
    assert Path("pipe").is_fifo()


def test_places_that_a_file_would_harm_are_refused(sample_run: runs.Run) -> None:
    for target, why in {
        "data/pubmed_export.csv": "lies in the landing zone data",
        str(sample_run.store / "latest" / "x.csv"): "lies in a release",
        ".": "is a folder",
        "": "is a folder",
    }.items():
        result = asked("csv", "--to", target, "--store", sample_run.store)
        assert (result.exit_code, result.stdout) == (2, "")
        assert why in result.stderr
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "why", "code"),
    [
        (("--drug", "asprin"), "close spellings: aspirin", 1),
        (("--since", "soon"), "is no day", 2),
        (("--release", "none"), "there is no release none", 2),
    ],
)
def test_what_is_not_there_writes_nothing(
    sample_run: runs.Run, arguments: tuple[str, str], why: str, code: int
) -> None:
    result = asked("csv", "--to", "x.csv", *arguments, "--store", sample_run.store)
    assert result.exit_code == code
    assert why in result.stderr
    assert not Path("x.csv").exists()


def test_no_mention_is_said(sample_run: runs.Run) -> None:
    result = written(sample_run, "gexf", "--to", "x.gexf", "--since", "2999")
    assert result.stdout == "x.gexf: 0 nodes, 0 edges\n"
    assert result.stderr.splitlines()[-1] == (
        "there is no such mention: the file is valid, and holds nothing"
    )


def test_a_large_file_of_text_comes_with_advice(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drug_assets.cli.exporting.MANY_MENTIONS", 100)
    advice = "packs the file to about a tenth, and --of journals writes a smaller one"
    assert advice in written(sample_run, "graphml", "--to", "x.graphml").stderr
    assert written(sample_run, "graphml", "--to", "x.graphml.gz").stderr == ""
    assert written(sample_run, "xlsx", "--to", "x.xlsx").stderr == ""


def test_every_format_is_offered_with_what_it_is_for() -> None:
    told = asked("--help").stdout
    for each in FORMATS.values():
        assert f"{each.name:<10} {each.purpose}" in told
