"""The comparison with other libraries, and the figures that are promised for real titles."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from benchmarks import accuracy, mesh_vocabulary
from drug_assets.accuracy.gold import Gold, read_gold
from drug_assets.accuracy.measuring import find_spans, list_names
from drug_assets.cleaning.stop_list import OWN, StopList
from drug_assets.cli.accuracy_report import read_lists
from drug_assets.mentions import Vocabulary, find_mentions
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

REAL = runs.REPOSITORY.parent / "shared" / "real_inputs"
GOLD = REAL / "gold" / "bc5cdr_training_titles.jsonl"
DRUGBANK = REAL / "vocabulary" / "drugbank_vocabulary.csv"
MESH = runs.REPOSITORY / "build" / "benchmarks" / "mesh.csv"
needs_real_inputs = pytest.mark.skipif(not REAL.is_dir(), reason="shared/real_inputs is not there")


def written(folder: Path) -> list[str]:
    """Gold titles and a vocabulary as files."""
    titles = {
        "On beta acid and gold.": [[3, 12]],
        "Sulphasalazine, alpha": [[0, 14], [16, 21]],
        "Nothing": [],
    }
    lines = [json.dumps({"title": title, "spans": spans}) for title, spans in titles.items()]
    (folder / "gold.jsonl").write_text("\n".join(lines))
    (folder / "vocabulary.csv").write_text("drug,synonyms\nBeta,gold\nSulfasalazine,\nGamma,\n")
    return [str(folder / "gold.jsonl"), str(folder / "vocabulary.csv")]


@pytest.mark.slow
def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main(written(tmp_path)) == 0
    told = capsys.readouterr().out
    assert "3 titles, 3 marked spans" in told
    # Gold is on the stop list, and Sulphasalazine is made of Sulfasalazine.
    assert "| drug_assets | 4 | 1.0000 | 0.6667 | 0.8000 |" in told
    assert "| drug_assets, names only as listed | 4 | 0.5000 | 0.3333 | 0.4000 |" in told
    missing = [
        peer
        for peer, (module, _) in accuracy.PEERS.items()
        if importlib.util.find_spec(module) is None
    ]
    assert [peer for peer in accuracy.PEERS if f"| {peer}, same names |" not in told] == missing
    assert (f"so not measured: {', '.join(missing)}." in told) == bool(missing)


def test_typeset_titles_keep_their_length() -> None:
    gold = Gold(["St John's 5-beta B12 and B2x 7"], [set()])
    assert accuracy.typeset(gold).titles == ["St John\u2019s 5\u2010beta B\u2081\u2082 and B2x 7"]


def test_inputs_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold, vocabulary = written(tmp_path)
    for arguments, told in (
        ([gold, str(tmp_path / "none.csv")], "none.csv"),
        ([gold, gold], "gold.jsonl: no record has 'drug' or 'atc_name': found 'title', 'spans'"),
        ([vocabulary, vocabulary], "line 1 is no title with spans"),
    ):
        assert accuracy.main(arguments) == 2
        assert told in capsys.readouterr().err


def test_the_list_of_mesh(tmp_path: Path) -> None:
    """Descriptors of chemicals, and all supplementary records."""
    files = {
        "mesh_id_label_mappings.tsv": [
            "D1\tAcids\tSour things|Acid\tD02.1\t",
            "D2\tHormones\t\tD02.2|D12.3\t",
            "D3\tPlaces\t\tZ01.1\t",
            "D5\tOutside the trees\t\t\t",
            "D4\tRings\tRing\tD03.1|D04.2\t",
        ],
        "mesh_supp_id_label_mappings.tsv": [
            "C1\tzetic acid\tzetate\tD1",
            "C2\tzetin\t\tD2",
            "C3\tboth\t\tD2,D4",
        ],
        "mesh_cas_mappings.tsv": ["C1\t50-78-2"],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    rows = list(mesh_vocabulary.list_substances(tmp_path))
    assert [(row["id"], row["drug"], row["synonyms"]) for row in rows] == [
        ("D1", "Acids", "Sour things|Acid"),
        ("D2", "Hormones", ""),
        ("D4", "Rings", "Ring"),
        ("C1", "zetic acid", "zetate"),
        ("C2", "zetin", ""),
        ("C3", "both", ""),
    ]
    descriptors, supplement = rows[:3], rows[3:]
    assert [row["tree_numbers"] for row in descriptors] == ["D02.1", "D02.2|D12.3", "D03.1|D04.2"]
    assert [row["mapped_to"] for row in supplement] == ["D1", "D2", "D2|D4"]
    assert [row["cas"] for row in rows] == ["", "", "", "50-78-2", "", ""]


def figures_of(*lists: Path) -> list[float]:
    """Precision, F1, exact F1 and closed list on the real titles."""
    gold = read_gold(GOLD.read_bytes(), GOLD.name)
    records = dict(read_lists(map(str, lists)))
    names = list_names(records.values(), StopList.of(OWN.read_bytes(), OWN.name)).filter("searched")
    s = accuracy.scores_of(gold, find_spans(gold.titles, names), names)
    figures = (s.precision, s.f1, s.exact_f1, s.closed_list)
    return [figure.value or 0 for figure in figures]


@pytest.mark.slow
@needs_real_inputs
def test_the_figures_that_are_promised() -> None:
    precision, f1, exact_f1, closed_list = figures_of(DRUGBANK)
    assert precision >= 0.9775
    assert f1 >= 0.907
    assert exact_f1 >= 0.850
    assert closed_list == 1


@pytest.mark.slow
@needs_real_inputs
@pytest.mark.skipif(not MESH.is_file(), reason="make mesh-vocabulary makes the list")
def test_the_figures_that_are_promised_with_mesh() -> None:
    precision, f1, exact_f1, closed_list = figures_of(DRUGBANK, MESH)
    assert precision >= 0.970
    assert f1 >= 0.93
    assert exact_f1 >= 0.88
    assert closed_list == 1


@pytest.mark.slow
@needs_real_inputs
def test_typography_loses_and_changes_nothing() -> None:
    gold = read_gold(GOLD.read_bytes(), GOLD.name)
    records = dict(read_lists([str(DRUGBANK)]))
    names = list_names(records.values(), StopList.of(OWN.read_bytes(), OWN.name)).filter("searched")
    typeset = accuracy.typeset(gold)
    assert typeset.titles != gold.titles
    rows = [pl.LazyFrame({"title": g.titles}).with_row_index() for g in (gold, typeset)]
    plain, changed = (
        find_mentions(r, Vocabulary.of(names))
        .explode("spans")
        .select("index", "drug_id", pl.col("spans").struct.field("start", "end"))
        for r in rows
    )
    assert not plain.is_empty()
    assert plain.equals(changed)
