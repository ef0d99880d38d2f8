"""Small made-up tables of mentions, and their graph document, for the tests of SQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from drug_assets import contracts, graph
from drug_assets.document.writing import write_lines
from drug_assets.sources.tables import TABLES
from drug_assets_tests.support.raw import listed_drug

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from drug_assets_tests.support.dataset import Dataset


@dataclass
class Publishing:
    """Drugs and the publications that mention them, gathered row by row."""

    _drugs: list[dict[str, object]] = field(default_factory=list)
    _mentions: list[dict[str, object]] = field(default_factory=list)
    _trial_publications: list[dict[str, object]] = field(default_factory=list)

    def drug(
        self, drug: str, *synonyms: str, drug_id: str | None = None, atc: tuple[str, ...] = ()
    ) -> str:
        """A drug of the list; returns its id."""
        drug_id = drug_id or drug.lower()
        names, codes = sorted({drug, *synonyms}), list(atc)
        self._drugs.append(
            listed_drug(drug, drug_id=drug_id, names=names, codes=codes, atc_codes=codes)
        )
        return drug_id

    def mention(
        self,
        drug_id: str,
        journal: str | None,
        source: str = "pubmed",
        *,
        date: str | None = "2020-01-01",
        precision: str | None = "day",
        times: int = 1,
        retracted: bool | None = None,
    ) -> None:
        """A publication of its own that mentions the drug."""
        drug = next(str(row["drug"]) for row in self._drugs if row["drug_id"] == drug_id)
        title = " ".join([drug.lower()] * times)
        length = len(drug)
        starts = range(0, len(title), length + 1)
        self._mentions.append(
            {
                "drug_id": drug_id,
                "source": source,
                "publication_id": f"p{len(self._mentions)}",
                "drug": drug,
                "title": title,
                "journal": journal,
                "journal_id": journal and journal.lower(),
                "date": date and dt.date.fromisoformat(date),
                "date_precision": precision,
                "retracted": retracted,
                "spans": [
                    {
                        "start": start,
                        "end": start + length,
                        "text": title[start : start + length],
                        "by": "name",
                    }
                    for start in starts
                ],
                "ambiguous": False,
            }
        )

    def report_results(self, chance: random.Random) -> None:
        """Publications that belong to the trials that mention drugs, of all kinds."""
        articles = [m for m in self._mentions if m["source"] == "pubmed"]
        for trial in [m for m in self._mentions if m["source"] == "clinical_trials"]:
            number = chance.randrange(6)
            further: dict[str, object] = {
                "publication_id": f"r{number}",
                "journal": f"Journal {number}",
                "journal_id": f"journal {number}",
                "retracted": [True, False, None][number % 3],
            }
            article = chance.choice([further, further, *articles])
            described = {name: article[name] for name in further}
            self._trial_publications.append(
                {
                    "trial_id": trial["publication_id"],
                    "trial_source": "clinical_trials",
                    "source": "pubmed",
                    "kind": chance.choice(["result", "result", "background"]),
                    "given_by": "trial",
                    "trial_in_store": True,
                    "publication_in_store": True,
                    "title": "On results.",
                    **described,
                }
            )

    @property
    def drugs(self) -> pl.DataFrame:
        """`contracts.Drugs`."""
        return pl.DataFrame(self._drugs, contracts.polars_schema(contracts.Drugs))

    @property
    def mentions(self) -> pl.DataFrame:
        """`contracts.Mentions`."""
        return pl.DataFrame(self._mentions, contracts.polars_schema(contracts.Mentions))

    @property
    def trial_publications(self) -> pl.DataFrame:
        """`contracts.TrialPublications`."""
        schema = contracts.polars_schema(TABLES["trial_publications"].contract)
        return pl.DataFrame(self._trial_publications, schema)

    @property
    def top_journal(self) -> pl.DataFrame:
        """`contracts.TopJournal`, as the pipeline publishes it."""
        return graph.find_top_journals(graph.count_journal_drugs(self.mentions.lazy())).collect()

    @property
    def document(self) -> Callable[[], list[bytes]]:
        """The graph document, as `questions` reads it."""
        tables = self.drugs.lazy(), self.mentions.lazy(), self.trial_publications.lazy()
        lines = list(write_lines(*tables))
        return lambda: lines

    def load(self, dataset: Dataset) -> None:
        """Put the tables into BigQuery, in place of those before."""
        dataset.load("drugs", self.drugs)
        dataset.load("mentions", self.mentions)
        dataset.load("trial_publications", self.trial_publications)
        dataset.load("journal_drugs", graph.count_journal_drugs(self.mentions.lazy()).collect())
        dataset.load("top_journal", self.top_journal)
