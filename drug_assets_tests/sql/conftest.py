"""A dataset of the emulator for each module, with what `deploy` makes of the files in `sql/`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drug_assets import contracts
from drug_assets_tests.support.dataset import Dataset

if TYPE_CHECKING:
    from drug_assets_tests.support.emulators import BigQueryEmulator


@pytest.fixture(scope="module")
def dataset(bigquery_emulator: BigQueryEmulator, request: pytest.FixtureRequest) -> Dataset:
    """A dataset with the pipeline's tables, empty."""
    made = Dataset(
        bigquery_emulator.client(),
        bigquery_emulator.project,
        request.module.__name__.rpartition(".")[2],
    )
    made.client.create_dataset(made.name)
    for table in ("drugs", "mentions", "journal_drugs", "top_journal"):
        made.load(table, contracts.TABLES[table].create_empty())
    return made
