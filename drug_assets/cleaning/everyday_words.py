"""Words of the English language, from SCOWL (see NOTICE): as a brand or code, one is seldom meant.

They are in the file of the same name, as a column `word`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

_WORDS = Path(__file__).with_suffix(".csv")


@cache
def list_everyday_words() -> pl.Series:
    """The words, folded, as a String series."""
    return pl.read_csv(_WORDS, schema={"word": pl.String}).to_series()
