"""A store with a history holds, to the byte, what a run in a new store makes of the same files.

Files land, change and go; records are withdrawn, revised and delivered again; the list of drugs
changes. DRUG_ASSETS_HISTORIES sets how many histories are tried.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drug_assets import mentions
from drug_assets.cleaning import publications
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

HISTORIES = int(os.environ.get("DRUG_ASSETS_HISTORIES", "2"))

NAMES = ("Zinc", "ethanol", "Vitamin C", "β-carotene")
#: The same titles and dates come again under other ids, and with no id at all.
TITLES = (
    "Zinc in rats",
    "Zinc in rats.",
    "Ethanol and zinc: a trial",
    "[Vitamin C and β-carotene]",
    "Nothing of interest",
    "",
)
DATES = ("2020-01-02", "2020-03", "Spring 2021", "1 January 2022", "never")
#: Two spellings of one journal by its ISSN, another one, and none.
JOURNALS = (("Journal of Tests", "0000-0019"), ("J Tests", "0000-0019"), ("Letters", ""), ("", ""))
PUBMED = "id,title,date,journal,issn,date_revised,delete\n"
TRIALS = "id,scientific_title,date,journal\n"


class Row(NamedTuple):
    """What a landed row is drawn from; each source uses what it has."""

    number: int
    title: str
    date: str
    journal: tuple[str, str]
    revised: str
    withdrawn: bool


ROWS = st.lists(
    st.builds(
        Row,
        st.integers(0, 5),
        st.sampled_from(TITLES),
        st.sampled_from(DATES),
        st.sampled_from(JOURNALS),
        st.sampled_from(["", "2023-01-01", "2023-01-02"]),
        st.integers(0, 9).map(lambda drawn: drawn == 0),
    ),
    max_size=6,
)
#: A file, and its rows when it lands or changes; None when it is removed.
DELIVERIES = st.tuples(
    st.sampled_from(
        ["pubmed_1.csv", "pubmed_2.csv", "pubmed_10.csv", "clinical_trials_1.csv", "drugs_2.csv"]
    ),
    ROWS | st.none(),
)
#: What is delivered between one run and the next.
HISTORY = st.lists(st.lists(DELIVERIES, min_size=1, max_size=3), min_size=2, max_size=3)


def write(file: str, rows: list[Row]) -> str:
    """The content of a landed file."""
    if file.startswith("drugs"):
        names = (NAMES[row.number % len(NAMES)] for row in rows)
        return "atccode,drug\n" + "".join(f"A01AD05,{name}\n" for name in names)
    if file.startswith("clinical_trials"):
        return TRIALS + "".join(
            f"NCT0000000{row.number},{row.title},{row.date},{row.journal[0]}\n" for row in rows
        )
    return PUBMED + "".join(
        f"{row.number or ''},{row.title},{row.date},{','.join(row.journal)},{row.revised},"
        f"{'true' if row.withdrawn else ''}\n"
        for row in rows
    )


def deliver(landing: Path, deliveries: list[tuple[str, list[Row] | None]]) -> None:
    """Write, change and remove landed files."""
    for file, rows in deliveries:
        if rows is None:
            (landing / file).unlink(missing_ok=True)
        else:
            (landing / file).write_text(write(file, rows), encoding="utf-8")


def assert_same(found: Path, expected: Path, *, news: bool) -> None:
    """Fail unless two stores have the same release; what is new in it counts only with `news`."""
    files = [runs.outputs(store) for store in (found, expected)]
    if not news:
        files = list(map(runs.without_news, files))
    assert files[0].keys() == files[1].keys()
    assert not [name for name, data in files[0].items() if data != files[1][name]]
    for name, table in TABLES.items():
        if table.by_file:  # of which a release holds the list of parts
            assert runs.table(found, name).equals(runs.table(expected, name)), name


@pytest.mark.parametrize("sorted_rows", [publications.SORTED_ROWS, 0], ids=["few", "many"])
@settings(
    max_examples=HISTORIES,
    deadline=None,
    # Each history takes many seconds, and a shorter one is not worth as much.
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(history=HISTORY)
def test_a_store_with_a_history_holds_what_a_new_one_does(
    tmp_path_factory: pytest.TempPathFactory,
    sorted_rows: int,
    history: list[list[tuple[str, list[Row] | None]]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publications, "SORTED_ROWS", sorted_rows)  # as if there were more
        patch.setattr(publications, "PIECE_ROWS", 1)
        if not sorted_rows:
            patch.setattr(mentions, "_JOINED_ROWS", 1)
        compare(tmp_path_factory.mktemp("history"), history)


def _read(landing: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in landing.iterdir()}


def compare(folder: Path, history: list[list[tuple[str, list[Row] | None]]]) -> None:
    """Fail unless a store that has this history holds what new ones do."""
    landing, before = folder / "landing", folder / "before"
    runs.landing_zone(landing)
    long, short, new = (folder / name for name in ("long", "short", "new"))
    assert runs.run(landing, long).succeeded
    for deliveries in history:
        files = _read(landing)
        deliver(landing, deliveries)
        if _read(landing) != files:  # else a release keeps the news of the one before
            shutil.rmtree(before, ignore_errors=True)
            runs.landing_zone(before, files)
        ran = runs.run(landing, long)
        assert ran.succeeded, ran.report
    assert runs.run(landing, new).succeeded
    assert_same(long, new, news=False)
    if not before.exists():
        return
    # What is new is told in comparison with the release before, and depends on nothing older.
    was = folder / "zone"
    shutil.copytree(before, was)
    assert runs.run(was, short).succeeded
    shutil.rmtree(was)
    shutil.copytree(landing, was)
    assert runs.run(was, short).succeeded
    assert_same(long, short, news=True)
