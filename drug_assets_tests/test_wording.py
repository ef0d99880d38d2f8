from __future__ import annotations

import pytest

from drug_assets.wording import count_of


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "file", "0 files"),
        (1, "file", "1 file"),
        (2, "row", "2 rows"),
        (1000, "row", "1,000 rows"),
    ],
)
def test_a_number_has_its_noun(number: int, noun: str, words: str) -> None:
    assert count_of(number, noun) == words
