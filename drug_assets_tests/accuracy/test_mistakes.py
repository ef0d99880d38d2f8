"""Each kind of mistake is recognized by its rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from drug_assets.accuracy.gold import Gold
from drug_assets.accuracy.mistakes import (
    Inexact,
    Known,
    Missed,
    Wrong,
    list_mistakes,
)

if TYPE_CHECKING:
    from drug_assets.terms import Term

KNOWN = Known(
    searched={"zetamol", "zeta-mol 5", "betazide", "both", "made"},
    listed={"zetamol", "zeta-mol 5", "betazide", "both", "stop"},
    bare={"zetamol", "zetamol5", "betazide", "both", "stop"},
    stopped={"stop"},
    ambiguous={"both"},
)


@pytest.mark.parametrize(
    ("marked", "kind"),
    [
        ("STOP", Missed.STOPPED),
        ("Zetamol", Missed.SEARCHED),
        ("zetamols", Missed.PLURAL),
        ("zeta mol-5", Missed.SIGNS),
        ("zetomol", Missed.MISSPELT),
        ("zetaml", Missed.MISSPELT),
        ("zetammol", Missed.MISSPELT),
        ("eztamol", Missed.MISSPELT),
        ("Ca2+", Missed.FORMULA),
        ("NaCl", Missed.FORMULA),
        ("Ca(OH)2", Missed.FORMULA),
        ("Fe(III)", Missed.FORMULA),
        ("Pb", Missed.FORMULA),
        ("XY 141716A", Missed.CODE),
        ("FK506", Missed.CODE),
        ("MTX", Missed.ABBREVIATION),
        ("5-FU", Missed.ABBREVIATION),
        ("NSAIDs", Missed.ABBREVIATION),
        ("N-(4-oxo)zetane", Missed.SYSTEMATIC),
        ("2,3-dioxozetane", Missed.SYSTEMATIC),
        ("gamma-zetane", Missed.SYSTEMATIC),
        ("nothings", Missed.CLASS),
        ("PDE inhibitor", Missed.CLASS),
        ("opioid", Missed.CLASS),
        ("betablocker", Missed.CLASS),
        ("cannabis", Missed.NOT_LISTED),
        ("word", Missed.NOT_LISTED),
    ],
)
def test_missed(marked: str, kind: Missed) -> None:
    title = f"On {marked} today"
    (found,) = list_mistakes(Gold([title], [{(3, 3 + len(marked))}]), [set()], KNOWN)
    assert (found.kind, found.count, found.texts) == (kind, 1, {marked: 1})


def test_a_marked_span_may_end_within_a_word() -> None:
    (found,) = list_mistakes(Gold(["zetamolates"], [{(0, 7)}]), [set()], KNOWN)
    assert found.kind is Missed.WITHIN_WORD


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ("both", Wrong.AMBIGUOUS),
        ("zetamol-dependent", Wrong.LONGER_TERM),
        ("zetamol\u2010dependent", Wrong.LONGER_TERM),
        ("zetamol receptors", Wrong.LONGER_TERM),
        ("zetamol reductase", Wrong.LONGER_TERM),
        ("made", Wrong.VARIANT),
        ("of rules", Wrong.BY_RULE),
        ("zetamol", Wrong.LISTED),
    ],
)
def test_wrong(found: str, kind: Wrong) -> None:
    end = len(re.split(r"\W", found)[0])
    (mistakes,) = list_mistakes(Gold([f"{found} today"], [set()]), [{(0, end)}], KNOWN)
    assert (mistakes.kind, mistakes.texts) == (kind, {found[:end]: 1})


@pytest.mark.parametrize(
    ("found", "kind"),
    [((2, 4), Inexact.SHORTER), ((0, 9), Inexact.LONGER), ((0, 4), Inexact.SHIFTED)],
)
def test_inexact(found: tuple[int, int], kind: Inexact) -> None:
    (mistakes,) = list_mistakes(Gold(["abcdefghij"], [{(2, 6)}]), [{found}], KNOWN)
    assert mistakes.kind is kind
    assert mistakes.texts == {f"{'abcdefghij'[slice(*found)]} → cdef": 1}


def test_equal_words_of_different_groups_are_counted_apart() -> None:
    gold = Gold(["MTX, MTY, MTX", "MTZ"], [{(0, 3), (5, 8), (10, 13)}, set()])
    known = Known({"mtz"}, {"mtz"}, set(), set(), set())
    mistakes = list_mistakes(gold, [set(), {(0, 3)}], known)
    kinds: list[Term] = [each.kind for each in mistakes]
    assert kinds == ["abbreviation", "abbreviation"]
    assert [type(kind) for kind in kinds] == [Missed, Wrong]
    assert [dict(each.texts) for each in mistakes] == [{"MTX": 2, "MTY": 1}, {"MTZ": 1}]
