"""What a run takes over from the release before. It makes the same as without: test_histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from drug_assets import mentions
from drug_assets.cleaning import publications
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.mentions import MentionsBefore

pytestmark = pytest.mark.slow


def land(landing: Path, file: str, id_: int, title: str) -> None:
    (landing / file).write_text(
        f"id,title,date,journal\n{id_},{title},01/01/2020,Tests\n", encoding="utf-8"
    )


class TestMentions:
    @pytest.fixture
    def taken_over(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int] | None]:
        """By run, how many publications of PubMed were joined anew, and how many were replaced."""
        of_runs: list[tuple[int, int] | None] = []
        join_mentions = mentions.join_mentions

        def join(*arguments: Any) -> pl.LazyFrame:
            before: MentionsBefore | None = arguments[-1]
            if before is None:
                of_runs.append(None)
            else:
                new, gone = pl.collect_all(
                    rows.select(pl.len()) for rows in before.changed["pubmed"]
                )
                of_runs.append((new.item(), gone.item()))
            return join_mentions(*arguments)

        monkeypatch.setattr(mentions, "join_mentions", join)
        # As if there were more records.
        monkeypatch.setattr(publications, "SORTED_ROWS", 0)
        monkeypatch.setattr(publications, "PIECE_ROWS", 1)
        return of_runs

    def test_a_run_joins_the_publications_that_changed(
        self, tmp_path: Path, taken_over: list[tuple[int, int] | None]
    ) -> None:
        landing, store, new = (tmp_path / name for name in ("landing", "store", "new"))
        runs.landing_zone(landing)
        land(landing, "pubmed_7.csv", 997, "Tetracycline in rats")
        land(landing, "pubmed_8.csv", 998, "Ethanol in rats")
        assert runs.run(landing, store).succeeded
        land(landing, "pubmed_7.csv", 997, "Ethanol in mice")
        land(landing, "pubmed_9.csv", 999, "Ethanol in mice")
        assert runs.run(landing, store).succeeded
        (landing / "pubmed_8.csv").unlink()
        assert runs.run(landing, store).succeeded
        assert taken_over == [None, (2, 1), (0, 1)]
        assert runs.run(landing, new).succeeded
        assert runs.table(store, "mentions").equals(runs.table(new, "mentions"))

    def test_nothing_is_taken_over_of_other_rules(
        self, tmp_path: Path, taken_over: list[tuple[int, int] | None]
    ) -> None:
        landing, store = tmp_path / "landing", tmp_path / "store"
        runs.landing_zone(landing)
        assert runs.run(landing, store).succeeded
        land(landing, "pubmed_9.csv", 999, "Ethanol in mice")
        assert runs.run(landing, store, DRUG_ASSETS_MENTION_RULES="ion").succeeded
        assert taken_over == [None, None]

    def test_other_names_are_searched_for_anew(
        self, tmp_path: Path, taken_over: list[tuple[int, int] | None]
    ) -> None:
        landing, store = tmp_path / "landing", tmp_path / "store"
        runs.landing_zone(landing)
        assert runs.run(landing, store).succeeded
        (landing / "drugs_2.csv").write_text("atccode,drug\nA01AD05,Betamine\n", encoding="utf-8")
        assert runs.run(landing, store).succeeded
        assert taken_over == [None, None]

    @pytest.mark.parametrize("table", ["mentions", "drugs", "pubmed"])
    def test_nothing_is_taken_over_of_a_damaged_table(
        self, tmp_path: Path, taken_over: list[tuple[int, int] | None], table: str
    ) -> None:
        landing, store = tmp_path / "landing", tmp_path / "store"
        runs.landing_zone(landing)
        assert runs.run(landing, store).succeeded
        path = runs.current(store) / f"{table}.parquet"
        whole = path.read_bytes()
        path.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
        land(landing, "pubmed_9.csv", 999, "Ethanol in mice")
        assert runs.run(landing, store).succeeded
        assert taken_over == [None, None]
