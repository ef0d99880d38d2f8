"""The page compares names as the commands do: over all of Unicode, and for any text."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drug_assets.answers.finding import fold_name
from drug_assets.cleaning.journals import compare_name
from drug_assets.cleaning.text import clean_string, fold_string
from drug_assets_tests.support import node

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.processes

#: Node may have a newer version of Unicode: only what Python knows, too, is compared.
KNOWN = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in {"Cn", "Cs", "Co"}
]
#: Characters that the rules change, and some that they leave alone.
SIGNS = "aZé ßİıſςΣ®™.,;:*()[]-‐’′″`USPINN12²①ＡΩ\u0301\u05b0\u200b\xad\ufb01Ⅷ\t\x85…‡Ph.Eur"
TEXTS = st.text(st.sampled_from(SIGNS) | st.sampled_from(KNOWN), max_size=12)


def in_the_page(texts: Sequence[str]) -> list[list[str]]:
    """How the page folds each: as a text, as the name of a drug, as the name of a journal."""
    folded: list[list[str]] = json.loads(
        node.run("tests/fold-all.ts", given=json.dumps(list(texts)))
    )
    return folded


def in_commands(texts: Sequence[str]) -> list[list[str]]:
    """How the commands fold each in the same three ways."""
    plain = [fold_string(clean_string(text)) for text in texts]
    journals = (
        pl.Series(plain, dtype=pl.String).to_frame("name").select(compare_name(pl.col("name")))
    )
    return [
        [folded, fold_name(text), journal]
        for text, folded, journal in zip(texts, plain, journals.to_series(), strict=True)
    ]


def differing(texts: Sequence[str]) -> list[tuple[str, list[str], list[str]]]:
    there, here = in_the_page(texts), in_commands(texts)
    return [(ascii(t), a, b) for t, a, b in zip(texts, there, here, strict=True) if a != b]


def test_every_character_is_folded_alike() -> None:
    assert len(KNOWN) > 140_000
    # Within a name, marks at its ends do not matter.
    found = differing([f"x{character}y" for character in KNOWN])
    assert (len(found), found[:20]) == (0, [])


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(TEXTS, min_size=400, max_size=400))
def test_every_text_is_folded_alike(texts: list[str]) -> None:
    assert differing(texts) == []
