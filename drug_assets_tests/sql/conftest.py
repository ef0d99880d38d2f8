"""A dataset of the emulator for each module, with the pipeline's tables that statements read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support.dataset import Dataset

if TYPE_CHECKING:
    from drug_assets_tests.support.emulators import BigQueryEmulator


@pytest.fixture(scope="module")
def dataset(bigquery_emulator: BigQueryEmulator, request: pytest.FixtureRequest) -> Dataset:
    """A dataset with the pipeline's tables, empty."""
    return Dataset.made(bigquery_emulator, request.module.__name__.rpartition(".")[2])
