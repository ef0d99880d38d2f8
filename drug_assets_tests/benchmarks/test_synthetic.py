"""The data of the benchmarks are the same whenever and in whatever order they are made."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import polars as pl
import pytest

from benchmarks import synthetic
from drug_assets import formats, sources
from drug_assets.mentions import Vocabulary, find_mentions
from drug_assets_tests.support.registry import PUBMED

if TYPE_CHECKING:
    from pathlib import Path

NAMES = synthetic.drug_names(300)


def test_names_are_different_and_a_longer_list_begins_with_the_shorter() -> None:
    assert len(set(NAMES)) == 300
    assert synthetic.drug_names(7) == NAMES[:7]


@pytest.mark.slow
def test_titles_do_not_depend_on_the_batch_they_are_made_in() -> None:
    together = synthetic.titles(NAMES, range(1000))
    apart = [synthetic.titles(NAMES, range(start, start + 250)) for start in range(0, 1000, 250)]
    assert together.equals(pl.concat(apart))


def test_the_numbers_behind_them_are_of_this_algorithm_and_seed() -> None:
    # SplitMix64 from its definition, in Python's own integers.
    def mixed(place: int, stream: int) -> int:
        start = synthetic.SEED * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03
        z = (place * 0x9E3779B97F4A7C15 + start) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    places = pl.Series([0, 1, 2**40], dtype=pl.UInt64)
    expected = [mixed(place, 3) for place in places]
    assert synthetic._mixed(places, 3).to_list() == expected


def test_titles_are_as_long_as_pubmeds_and_hold_names_and_near_misses_as_often_as_said() -> None:
    made = synthetic.titles(NAMES, range(20_000))
    assert made["title"].str.len_bytes().mean() == pytest.approx(97, abs=8)
    planted = made["kind"].drop_nulls()
    true_names = planted.filter(planted.is_in(sorted(synthetic.TRUE_KINDS)))
    assert len(true_names) / made.height == pytest.approx(0.20, abs=0.01)
    assert (len(planted) - len(true_names)) / made.height == pytest.approx(0.11, abs=0.01)


def test_true_names_are_mentions_and_near_misses_are_not() -> None:
    made = synthetic.titles(NAMES, range(5_000))
    listed = pl.DataFrame({"name": NAMES}).with_columns(drug_id="name")
    found = find_mentions(made.lazy(), Vocabulary.of(listed))
    mentioning = set(found["row"])
    by_kind = dict(made.group_by("kind").agg("row").iter_rows())
    for kind in synthetic.TRUE_KINDS | {"accented", "underscore"}:
        assert mentioning.issuperset(by_kind[kind]), kind
    # A name cut or glued can hold another whole name of several words, seldom.
    for kind in ("plural", "glued_before", "glued_after", "letter_beyond_ascii", "greek_letter"):
        assert len(mentioning.intersection(by_kind[kind])) < len(by_kind[kind]) / 4, kind


def test_a_pubmed_file_is_read_as_the_articles_it_was_made_of() -> None:
    document = b"".join(synthetic.pubmed_xml(NAMES, range(100, 250)))
    read = pl.concat(formats.read(PUBMED.record_shape(), "pubmed.xml", document))
    assert read["id"].to_list() == [str(row + 1) for row in range(100, 250)]
    assert read["title"].to_list() == synthetic.titles(NAMES, range(100, 250))["title"].to_list()
    assert (
        read.select(pl.col("print_date", "journal", "nlm_id", "issn").null_count()).row(0)
        == (0,) * 4
    )
    assert len(document) / 150 > 3_000  # with the ballast that real records have


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xml", "csv"])
def test_a_landing_zone_is_the_same_bytes_each_time_and_all_of_it_is_read(
    tmp_path: Path, kind: str
) -> None:
    zone = synthetic.Zone(records=60, files=3, names=NAMES[:20], format=kind)
    first = synthetic.landing_zone(tmp_path / "first", zone)
    again = synthetic.landing_zone(tmp_path / "again", zone)
    contents = {path.name: path.read_bytes() for path in first.iterdir()}
    assert contents == {path.name: path.read_bytes() for path in again.iterdir()}
    rows = {}
    for name, content in contents.items():
        source = sources.source_of_file(name)
        assert source is not None
        batches = formats.read(source.record_shape(), name, content)
        rows[name] = sum(batch.height for batch in batches)
    assert rows.pop("drugs.csv") == 20
    assert sorted(rows.values()) == [20, 20, 20]
    assert len(rows) == 3


@pytest.mark.slow
def test_the_file_to_be_added_holds_the_articles_that_come_next(tmp_path: Path) -> None:
    zone = synthetic.Zone(records=60, files=3, names=NAMES[:20], format="xml")
    added = synthetic.write_zone_file(tmp_path, zone, zone.files)
    assert b'<PMID Version="1">61</PMID>' in gzip.decompress(added.read_bytes())
    assert added.name not in {synthetic.zone_file(zone, n) for n in range(zone.files)}
