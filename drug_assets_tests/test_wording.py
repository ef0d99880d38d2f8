from __future__ import annotations

import pytest

from drug_assets.wording import count_of, describe_seconds


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.6, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125.0, "2 min 5 s"),
        (3599.0, "59 min 59 s"),
        (3661.0, "1 h 1 min"),
        (86400.0, "1 d 0 h"),
        (1000 * 86400.0, "1,000 d 0 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert describe_seconds(seconds) == words
