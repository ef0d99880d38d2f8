"""The spans that were missed, wrongly found, or found with other ends, by kind.

Rules decide the kind, from the text of a span, its neighbours and the names; the first rule that
holds counts. So a kind says what a mistake looks like. Whether a name should be on a list, or a
marked span should not be marked, people decide: therefore each kind comes with examples.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_lowercase
from typing import TYPE_CHECKING, TypeVar

from drug_assets.accuracy.scores import overlaps
from drug_assets.cleaning.text import fold_string
from drug_assets.terms import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from drug_assets.accuracy.gold import Gold, Span, Spans

#: Shorter names are too often one letter from another word.
_MISSPELT_CHARS = 6

_ELEMENTS = (
    "A[cglmrstu]|B[aehikr]?|C[adeflmnorsu]?|D[bsy]|E[rsu]|F[elmr]?|G[ade]|H[efgos]?|I[nr]?|Kr?|"
    "L[airuv]|M[cdgnot]|N[abdehiop]?|O[gs]?|P[abdmortu]?|R[abefghnu]|S[bcegimnr]?|T[abcehilms]|"
    "U|V|W|Xe|Yb?|Z[nr]"
)
#: Symbols of elements with numbers, brackets and a charge. Capitals alone may be an abbreviation.
_PART_OF_FORMULA = rf"(?:{_ELEMENTS})[0-9]{{0,2}}"
_FORMULA = re.compile(
    rf"(?=.*[a-z0-9+])(?:{_PART_OF_FORMULA}|[(\[](?:{_PART_OF_FORMULA})+[)\]][0-9]{{0,2}})+"
    r"(?:[(]?[0-9]?[+-][)]?|[(][IV]+[)])?"
)
_CODE = re.compile(r"(?=.*[A-Za-z])(?:[^0-9]*[0-9]){3}")
_ABBREVIATION = re.compile(r"(?=(?:.*[A-Z]){2})(?:[0-9A-Zα-ω]|[a-z](?![a-z])|[-/'(),]){2,10}s?")
_SYSTEMATIC = re.compile(
    r"(?:^|[\s(\[,-])(?:[0-9]+[a-z]?'*(?:,[0-9]+[a-z]?'*)*|[A-Z]{1,2}|[αβγδω]|alpha|beta|gamma|"
    r"cis|trans|[dl]{1,2}|ortho|meta|para)-\S*[a-z]{3}|[a-z)][\[(]\S+[a-z]{2}"
)
#: Nouns that name what substances have in common, and the usual endings of such nouns.
_CLASS = re.compile(
    r"(?:.*\W)?(?:agents?|compounds?|derivatives?|drugs?|analog(?:ue)?s?|hormones?|salts?|metals?|"
    r"(?:\w*(?:inhibit|block|activat|stimulat|modulat))(?:or|er)s?|\w*(?:agonist|ergic|lytic|otic|"
    r"etic|esic|leptic|pressant|vulsant|mimetic|oid|statin)s?|\w*(?<![aiosu])s)",
    re.IGNORECASE,
)
#: What follows a name within the name of something else: where a substance acts, or its lack.
_LONGER_TERM = re.compile(
    r"\s+(?:receptors?|transporters?|channels?|pumps?|syndromes?|deficiency|dependence|abuse|"
    r"intolerance|tolerance tests?|cycle|pathways?|proteins?|synthesis|metabolism|\w+ases?)\b",
    re.IGNORECASE,
)
#: What is neither letter nor digit. In the syntax of Polars and of Python.
SIGN = r"[\W_]"


class Missed(Term):
    """Why a marked span was not found."""

    STOPPED = "stopped", "on the stop list"
    WITHIN_WORD = "within_word", "the marked span begins or ends within a word"
    SEARCHED = "searched", "spelt as a name that is searched for: a defect"
    PLURAL = "plural", "plural of a listed name"
    SIGNS = "signs", "a listed name, but for blanks, hyphens and other signs"
    MISSPELT = "misspelt", "one letter away from a listed name"
    FORMULA = "formula", "an ion, an element or a formula"
    CODE = "code", "letters and a number, such as the code of a company"
    ABBREVIATION = "abbreviation", "capitals, such as an abbreviation"
    SYSTEMATIC = "systematic", "a systematic name: positions, brackets"
    CLASS = "class", "a class of substances: a plural, or a noun such as inhibitor or steroid"
    NOT_LISTED = "not_listed", "any other name that is on no list"


class Wrong(Term):
    """What is peculiar about a found span where nothing is marked."""

    AMBIGUOUS = "ambiguous", "a name of several drugs"
    LONGER_TERM = (
        "longer_term",
        "part of a longer term: with a hyphen, or before receptor, syndrome, deficiency, …",
    )
    BY_RULE = "by_rule", "no name: a rule of `DRUG_ASSETS_MENTION_RULES` found it"
    VARIANT = "variant", "a spelling that a rule made of a listed name"
    FORMULA = "formula", "an ion, an element or a formula"
    CODE = "code", "letters and a number, such as a code"
    ABBREVIATION = "abbreviation", "capitals, such as an abbreviation"
    CLASS = "class", "a plural, or a noun such as inhibitor or steroid"
    LISTED = "listed", "any other listed name"


class Inexact(Term):
    """How a found span differs from the marked ones that it overlaps."""

    SHORTER = "shorter", "the marked span is longer"
    LONGER = "longer", "the marked span is shorter"
    SHIFTED = "shifted", "each has a part that the other has not"


_Kind = TypeVar("_Kind", Missed, Wrong, Inexact)


@dataclass(frozen=True)
class Known:
    """The names of the lists, all folded."""

    #: Those that are searched for.
    searched: AbstractSet[str]
    #: All that the lists have, the stop list ignored.
    listed: AbstractSet[str]
    #: The listed ones, without what matches `SIGN`.
    bare: AbstractSet[str]
    #: The listed ones that are on the stop list.
    stopped: AbstractSet[str]
    #: Those that are searched for and belong to several drugs.
    ambiguous: AbstractSet[str]


@dataclass(frozen=True)
class Mistakes:
    """Mistakes of a kind: their number, and how often each text is among them."""

    kind: Term
    count: int
    #: The most frequent first.
    texts: Mapping[str, int]


def list_mistakes(gold: Gold, found: Spans, known: Known) -> list[Mistakes]:
    """Sort all mistakes by kind; each span counts once.

    Args:
        gold: titles and marked spans.
        found: the spans found in each title.
        known: the names of the lists.

    Returns:
        Missed, wrong and inexact spans, in the order of their kinds, without kinds that have none.
    """
    # Kinds of different groups have equal words, so each group is counted by itself.
    missed: Counter[tuple[Missed, str]] = Counter()
    wrong: Counter[tuple[Wrong, str]] = Counter()
    inexact: Counter[tuple[Inexact, str]] = Counter()
    for title, marked, of_found in zip(gold.titles, gold.spans, found, strict=True):
        for start, end in marked:
            if not overlaps((start, end), of_found):
                missed[_why_missed(title, start, end, known), title[start:end]] += 1
        for start, end in of_found:
            if not overlaps((start, end), marked):
                wrong[_why_wrong(title, start, end, known), title[start:end]] += 1
            elif (start, end) not in marked:
                kind, other = _why_inexact((start, end), marked)
                inexact[kind, f"{title[start:end]} → {title[other[0] : other[1]]}"] += 1
    return [
        *_by_kind(missed, Missed),
        *_by_kind(wrong, Wrong),
        *_by_kind(inexact, Inexact),
    ]


def _by_kind(
    counted: Mapping[tuple[_Kind, str], int], kinds: Iterable[_Kind]
) -> Iterator[Mistakes]:
    for kind in kinds:
        texts = {text: count for (of, text), count in counted.items() if of is kind}
        if texts:
            ordered = dict(sorted(texts.items(), key=lambda item: (-item[1], item[0])))
            yield Mistakes(kind, sum(texts.values()), ordered)


def _why_missed(title: str, start: int, end: int, known: Known) -> Missed:
    text = title[start:end]
    folded = fold_string(text)
    neighbours = title[max(start - 1, 0) : start + 1], title[end - 1 : end + 1]
    rules: dict[Missed, Callable[[], object]] = {
        Missed.STOPPED: lambda: folded in known.stopped,
        Missed.WITHIN_WORD: lambda: any(len(n) == 2 and n.isalnum() for n in neighbours),
        Missed.SEARCHED: lambda: folded in known.searched,
        Missed.PLURAL: lambda: any(one in known.listed for one in _singulars(folded)),
        Missed.SIGNS: lambda: re.sub(SIGN, "", folded) in known.bare,
        Missed.MISSPELT: lambda: any(near in known.listed for near in _one_letter_away(folded)),
        Missed.FORMULA: lambda: _FORMULA.fullmatch(text),
        Missed.ABBREVIATION: lambda: _ABBREVIATION.fullmatch(text) and not _CODE.match(text),
        Missed.SYSTEMATIC: lambda: _SYSTEMATIC.search(text),
        Missed.CODE: lambda: _CODE.match(text),
        Missed.CLASS: lambda: _CLASS.fullmatch(text),
    }
    return next((kind for kind, holds in rules.items() if holds()), Missed.NOT_LISTED)


def _why_wrong(title: str, start: int, end: int, known: Known) -> Wrong:
    text = title[start:end]
    folded = fold_string(text)
    neighbours = title[max(start - 1, 0) : start] + title[end : end + 1]
    rules: dict[Wrong, Callable[[], object]] = {
        Wrong.AMBIGUOUS: lambda: folded in known.ambiguous,
        Wrong.LONGER_TERM: lambda: "-" in fold_string(neighbours) or _LONGER_TERM.match(title, end),
        Wrong.BY_RULE: lambda: folded not in known.searched,
        Wrong.VARIANT: lambda: folded not in known.listed,
        Wrong.FORMULA: lambda: _FORMULA.fullmatch(text),
        Wrong.CODE: lambda: _CODE.match(text),
        Wrong.ABBREVIATION: lambda: _ABBREVIATION.fullmatch(text),
        Wrong.CLASS: lambda: _CLASS.fullmatch(text),
    }
    return next((kind for kind, holds in rules.items() if holds()), Wrong.LISTED)


def _why_inexact(found: Span, marked: set[Span]) -> tuple[Inexact, Span]:
    """The kind, and the marked span that the found one shares most characters with."""
    other = max(sorted(marked), key=lambda span: min(span[1], found[1]) - max(span[0], found[0]))
    if other[0] <= found[0] and found[1] <= other[1]:
        return Inexact.SHORTER, other
    if found[0] <= other[0] and other[1] <= found[1]:
        return Inexact.LONGER, other
    return Inexact.SHIFTED, other


def _singulars(folded: str) -> Iterator[str]:
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y"), ("a", "um")):
        if folded.endswith(ending):
            yield folded.removesuffix(ending) + instead


def _one_letter_away(folded: str) -> Iterator[str]:
    """What one letter that is missing, surplus, wrong or exchanged with the next can make."""
    if len(folded) < _MISSPELT_CHARS or not folded.replace(" ", "").isalpha():
        return
    places = [(folded[:i], folded[i:]) for i in range(len(folded) + 1)]
    for (head, tail), (_, after) in pairwise(places):
        yield head + after
        yield from (head + letter + after for letter in ascii_lowercase)
        yield head + after[:1] + tail[:1] + after[1:]
    for head, tail in places:
        yield from (head + letter + tail for letter in ascii_lowercase)
