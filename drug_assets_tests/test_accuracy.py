"""The figures that `make accuracy` prints are what they are called."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import polars as pl
import pytest

from benchmarks import accuracy
from benchmarks.accuracy import Gold, mistakes, scores
from drug_assets.mentions import Vocabulary, find_mentions

REAL = Path(__file__).parents[2] / "shared" / "real_inputs"
TITLES = ["On beta acid and gold.", "Sulphasalazine, alpha", "Nothing"]
GOLD = Gold(TITLES, [{(3, 12)}, {(0, 14), (16, 21)}, set()])
VOCABULARY = "drug,synonyms\nBeta,gold\nSulfasalazine,\nGamma,\n"


def written(folder: Path) -> list[str]:
    """The gold titles and a vocabulary as files."""
    lines = [
        json.dumps({"title": title, "spans": sorted(spans)})
        for title, spans in zip(GOLD.titles, GOLD.spans, strict=True)
    ]
    (folder / "gold.jsonl").write_text("\n".join(lines) + "\n\n")
    (folder / "vocabulary.csv").write_text(VOCABULARY)
    return [str(folder / "gold.jsonl"), str(folder / "vocabulary.csv")]


def test_scores_by_overlap_and_exact() -> None:
    found = [{(3, 7), (17, 21)}, {(0, 14)}, {(0, 7)}]
    s = scores(GOLD, found, ["sulphasalazine", "ALPHA"])
    assert (s.precision, s.recall) == (2 / 4, 2 / 3)
    assert (s.exact_precision, s.exact_recall) == (1 / 4, 1 / 3)
    assert s.closed_list_recall == 1 / 2
    assert s.f1 == pytest.approx(4 / 7)


def test_one_found_span_may_overlap_several() -> None:
    s = scores(GOLD, [set(), {(0, 21)}, set()], [])
    assert (s.precision, s.recall, s.exact_recall, s.closed_list_recall) == (1, 2 / 3, 0, 1)


def test_mistakes_are_counted_by_text() -> None:
    wrong, missed = mistakes(GOLD, [{(3, 7), (17, 21)}, set(), {(0, 7)}])
    assert wrong == {"gold": 1, "Nothing": 1}
    assert missed == {"Sulphasalazine": 1, "alpha": 1}


def test_typeset_titles_keep_their_length() -> None:
    gold = Gold(["St John's 5-beta B12 and B2x 7"], [set()])
    assert accuracy.typeset(gold).titles == ["St John\u2019s 5\u2010beta B\u2081\u2082 and B2x 7"]


@pytest.mark.slow
def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main([*written(tmp_path), "--mistakes"]) == 0
    told = capsys.readouterr().out
    assert "3 titles, 3 gold spans" in told
    # Gold is on the stop list, and Sulphasalazine is made of Sulfasalazine.
    assert "| drug_assets | 4 | 1.0000 | 0.6667 | 0.8000 |" in told
    assert "| drug_assets, names only as listed | 4 | 0.5000 | 0.3333 | 0.4000 |" in told
    for peer, (module, _) in accuracy.PEERS.items():
        installed = importlib.util.find_spec(module) is not None
        assert (f"| {peer}, same names |" in told) == installed
        assert installed or f"not measured: {', '.join(accuracy.PEERS)}" in told


def test_the_report_of_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main([*written(tmp_path), "--rules"]) == 0
    told = capsys.readouterr().out
    assert "| stop list | 3 | 1.0000 | 0.3333 |" in told
    assert "| stop list, older_spelling | 4 | 1.0000 | 0.6667 |" in told
    assert "| stop list, in_one | 3 | 1.0000 | 0.3333 |" in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not JSON", "line 1 is no"),
        ('{"title": "a"}', "line 1 is no"),
        ('{"title": "a", "spans": [[0]]}', "line 1 is no"),
        ('\n{"title": "a", "spans": [[0, 2]]}', "line 2 has a span outside its title"),
    ],
)
def test_gold_that_cannot_be_used_is_told_by_line(
    line: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold, vocabulary = written(tmp_path)
    Path(gold).write_text(line)
    assert accuracy.main([gold, vocabulary]) == 2
    assert told in capsys.readouterr().err


def test_other_inputs_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold, vocabulary = written(tmp_path)
    for arguments, told in (
        ([gold, str(tmp_path / "none.csv")], "none.csv cannot be read"),
        ([gold, gold], "gold.jsonl: no record has 'drug' or 'atc_name': found 'title', 'spans'"),
        ([gold, vocabulary, "--stop-list", vocabulary], "line 1 is 'drug,synonyms'"),
    ):
        assert accuracy.main(arguments) == 2
        assert told in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="shared/real_inputs is not there")
def test_the_figures_that_are_promised() -> None:
    gold = accuracy.read_gold(REAL / "gold" / "bc5cdr_training_titles.jsonl")
    names = accuracy.searched_names(REAL / "vocabulary" / "drugbank_vocabulary.csv")
    s = scores(gold, accuracy.found_here(gold.titles, names), names["name"])
    assert s.precision >= 0.977
    assert s.f1 >= 0.907
    assert s.closed_list_recall == 1


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="shared/real_inputs is not there")
def test_typography_loses_and_changes_nothing() -> None:
    gold = accuracy.read_gold(REAL / "gold" / "bc5cdr_training_titles.jsonl")
    names = accuracy.searched_names(REAL / "vocabulary" / "drugbank_vocabulary.csv")
    typeset = accuracy.typeset(gold)
    assert typeset.titles != gold.titles
    rows = [pl.LazyFrame({"title": g.titles}).with_row_index() for g in (gold, typeset)]
    plain, changed = (
        find_mentions(r, Vocabulary.of(names))
        .explode("spans")
        .select("index", "drug_id", pl.col("spans").struct.field("start", "end"))
        for r in rows
    )
    assert plain.equals(changed)
