"""Titles and the names found in them -> mentions by something that is no name (SPEC 4).

Every rule takes its drug from the list: from a name beside it in the same title, or from the name
of an element. Nothing is guessed from likeness. A rule only adds: what shares a character with a
name is left to the name. `docs/accuracy.md` has what each rule gives, and which were left out.

`find_spans` chooses spans; `audit` holds those that were published to `list_possible`, which looks
at one drug in one title alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from drug_assets.cleaning.text import LETTER_OR_DIGIT, fold_text
from drug_assets.terms import SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

#: What identifies a span of a drug.
_SPAN = ("row", "drug", "start", "end")

_DASH = r"[\p{Pd}\x{2212}]"
_MARK = r"[®™℠]?"
#: Letters and a number, as companies and chemists name compounds: `FK506`, `WR-2721`, `NSC 343499`.
#: A registry's id of a trial has more digits, a target as `COX-2` fewer.
_CODE = rf"\p{{Lu}}{{1,4}}(?:{_DASH}| )?\p{{N}}{{2,7}}\p{{L}}?"
#: `Adriamycin`, `Dimer-X`.
_CAPITALIZED = rf"\p{{Lu}}\p{{Ll}}{{3,}}(?:{_DASH}\p{{Lu}})?"
_ABBREVIATION = rf"[\p{{L}}\p{{N}}](?:[\p{{L}}\p{{N}}]|{_DASH}){{1,9}}"

#: By symbol, the names of an element and the charges of its ions in the body and in drugs.
_ELEMENTS: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "Ag": (("silver",), (1,)),
    "Al": (("aluminium", "aluminum"), (3,)),
    "As": (("arsenic",), (3, 5)),
    "Au": (("gold",), (1, 3)),
    "Ba": (("barium",), (2,)),
    "Bi": (("bismuth",), (3,)),
    "Ca": (("calcium",), (2,)),
    "Cd": (("cadmium",), (2,)),
    "Co": (("cobalt",), (2, 3)),
    "Cr": (("chromium",), (3, 6)),
    "Cs": (("caesium", "cesium"), (1,)),
    "Cu": (("copper",), (1, 2)),
    "Fe": (("iron",), (2, 3)),
    "Gd": (("gadolinium",), (3,)),
    "Hg": (("mercury",), (1, 2)),
    "K": (("potassium",), (1,)),
    "La": (("lanthanum",), (3,)),
    "Li": (("lithium",), (1,)),
    "Mg": (("magnesium",), (2,)),
    "Mn": (("manganese",), (2, 3)),
    "Na": (("sodium",), (1,)),
    "Ni": (("nickel",), (2,)),
    "Pb": (("lead",), (2,)),
    "Pt": (("platinum",), (2, 4)),
    "Rb": (("rubidium",), (1,)),
    "Sb": (("antimony",), (3, 5)),
    "Sr": (("strontium",), (2,)),
    "Tl": (("thallium",), (1, 3)),
    "Zn": (("zinc",), (2,)),
}
_ROMAN = ("I", "II", "III", "IV", "V", "VI")
_PLUS = r"[+⁺]"


def _write_formulas(symbol: str, charges: Collection[int]) -> str:
    """Matches the formulas of an element's ions: `Ca2+`, `Ca(2+)`, `Ca+2`, `Ca++`, `Ca(II)`."""
    forms = []
    # The highest charge first: `Cu++` is no `Cu+`.
    for charge in sorted(charges, reverse=True):
        digit = f"[{charge}{'⁰¹²³⁴⁵⁶'[charge]}{'₀₁₂₃₄₅₆'[charge]}]"
        if charge > 1:
            forms += [rf"\({digit}{_PLUS}\)", rf"{digit}{_PLUS}", rf"{_PLUS}{digit}"]
        else:
            forms.append(rf"\({_PLUS}\)")
        forms.append(rf"{_PLUS}{{{charge}}}")
        # Who writes K(I) means a constant of inhibition.
        if max(charges) > 1:
            forms.append(rf"\({_ROMAN[charge - 1]}\)")
    return f"{symbol}(?:{'|'.join(forms)})"


#: What every formula has: a search for it is faster than one for formulas.
_CHARGE = rf"{_PLUS}|\([IV]"
_FORMULA = "|".join(_write_formulas(symbol, charges) for symbol, (_, charges) in _ELEMENTS.items())
_SYMBOL_OF = {name: symbol for symbol, (names, _) in _ELEMENTS.items() for name in names}
_NAME_OF_ELEMENT = (
    rf"^({'|'.join(_SYMBOL_OF)})"
    r"(?:,? \(?(?:cat)?ions?\)?|\([1-9]?\+\)(?: ion)?|\([iv]+\)(?: (?:cat)?ion)?)?$"
)


def find_spans(
    rules: Collection[SpanOrigin],
    titles: pl.DataFrame,
    named: pl.DataFrame,
    elements: pl.DataFrame,
) -> pl.DataFrame:
    """Find the spans that rules add to those of names.

    Spans found do not overlap, neither each other nor those of names; the leftmost wins, and of
    those with the same start the longest, as among names.

    Args:
        rules: the rules to apply.
        titles: columns row and title, not null.
        named: the spans of names: columns row, drug, start and end.
        elements: result of `list_elements`.

    Returns:
        Columns row, drug, start, end, by, and ambiguous (whether the span is that of several
        drugs), in the order of row, start and drug.
    """
    spans = named.select(_SPAN)
    possible = list_possible(rules, titles, spans, elements).unique(
        _SPAN, keep="first", maintain_order=True
    )
    overlaps = (pl.col("start") < pl.col("end_named")) & (pl.col("start_named") < pl.col("end"))
    taken = possible.join(spans, on="row", suffix="_named").filter(overlaps).select(_SPAN).unique()
    place = ("row", "start", "end")
    free = possible.join(taken, on=_SPAN, how="anti").sort("row", "start", -pl.col("end"), "drug")
    reached = pl.col("end").cum_max().shift(1).over("row")
    apart = (
        free.select(place)
        .unique(maintain_order=True)
        .filter((pl.col("start") >= reached).fill_null(value=True))
    )
    return free.join(apart, on=place, how="semi", maintain_order="left").with_columns(
        ambiguous=pl.col("drug").n_unique().over(place) > 1
    )


def list_possible(
    rules: Collection[SpanOrigin],
    titles: pl.DataFrame,
    named: pl.DataFrame,
    elements: pl.DataFrame,
) -> pl.DataFrame:
    """List all spans that rules justify; they may overlap each other and those of names.

    Args:
        rules: the rules to apply.
        titles: columns row and title, not null.
        named: the spans of names: columns row, drug, start and end.
        elements: result of `list_elements`.

    Returns:
        Columns row, drug, start, end and by, one row per span of a drug and rule, the rules in
        their order.
    """
    bracketed = titles.filter(pl.col("title").str.contains("(", literal=True))
    behind = named.join(bracketed, on="row")
    found = [
        _find_everywhere(_RULES[rule](behind), bracketed).with_columns(by=pl.lit(rule.value))
        for rule in SpanOrigin
        if rule in rules and rule in _RULES
    ]
    if SpanOrigin.ION in rules:
        found.append(_find_ions(titles, elements).with_columns(by=pl.lit(SpanOrigin.ION.value)))
    nothing = pl.DataFrame(schema={**named.select(_SPAN).schema, "by": pl.String})
    return pl.concat([nothing, *(each.select(nothing.columns) for each in found)])


def list_elements(names: pl.LazyFrame) -> pl.LazyFrame:
    """List the elements that drugs are, by what a name says of them: `calcium`, `lithium ion`.

    Args:
        names: columns drug and name.

    Returns:
        Columns drug and symbol.
    """
    symbol = find_element(pl.col("name")).replace_strict(_SYMBOL_OF, return_dtype=pl.String)
    return names.select("drug", symbol=symbol).drop_nulls("symbol").unique()


def find_element(name: pl.Expr) -> pl.Expr:
    """The element whose name, or whose ion's, a name is: `calcium` of `Calcium cation`; or null."""
    return fold_text(name).str.extract(_NAME_OF_ELEMENT)


def _define_abbreviations(named: pl.DataFrame) -> pl.DataFrame:
    """The word in brackets behind a name that is short for it: "doxorubicin (DOX)"."""
    text = fold_text(pl.col("title").str.slice("start", pl.col("end") - pl.col("start")))
    letters = fold_text(pl.col("word")).str.replace_all(_DASH, "").str.replace_all("(.)", ".*$1")
    # The first letter of a word, then the others anywhere behind it, in their order.
    in_order = r"(?:^|[^\p{L}\p{N}])" + letters.str.strip_prefix(".*")
    return (
        _take_from_brackets(named, _ABBREVIATION)
        .filter(pl.col("word").str.contains(r"\p{Lu}"))
        .filter(text.str.contains(in_order))
    )


def _take_from_brackets(named: pl.DataFrame, shape: str) -> pl.DataFrame:
    """Add the word of a shape that stands in brackets behind a name, and where it begins."""
    behind = pl.col("title").str.slice("end")
    opening = behind.str.extract(r"^( ?\()")
    word = behind.str.extract(rf"^ ?\(({shape}){_MARK}\)")
    return named.with_columns(
        word=word, at=pl.col("end") + opening.str.len_chars().cast(pl.Int64)
    ).drop_nulls("word")


def _take_names_in_brackets(named: pl.DataFrame) -> pl.DataFrame:
    """The word in brackets behind a name that looks like a name: "bupropion (Zyban)"."""
    # "naproxen sodium (Anaprox)": where the list lacks the salt, its last word is not what it is.
    element = find_element(pl.col("title").str.slice("start", pl.col("end") - pl.col("start")))
    return (
        _take_from_brackets(named, f"{_CODE}|{_CAPITALIZED}")
        .filter(element.is_null())
        .filter(_looks_like_a_name())
    )


def _take_names_before_brackets(named: pl.DataFrame) -> pl.DataFrame:
    """The word before a name in brackets that looks like a name: "FK506 (tacrolimus)"."""
    before, behind = pl.col("title").str.slice(0, "start"), pl.col("title").str.slice("end")
    name = pl.col("title").str.slice("start", pl.col("end") - pl.col("start"))
    word = before.str.extract(rf"(?:^| )({_CODE}|{_CAPITALIZED}){_MARK} ?\($")
    closing = before.str.extract(rf"({_MARK} ?\()$")
    at = pl.col("start") - (closing.str.len_chars() + word.str.len_chars()).cast(pl.Int64)
    return (
        named.with_columns(word=word, at=at)
        .drop_nulls("word")
        # An abbreviation in brackets is short for what stands before it.
        .filter(behind.str.starts_with(")"), name.str.contains(r"\p{Ll}"))
        .filter(_looks_like_a_name())
    )


def _looks_like_a_name() -> pl.Expr:
    """Whether the word is a code, or has its capital by itself.

    A title's first word has one, and so have most words of a title in title case. Words of three
    letters and less tell nothing: few of them have a capital there.
    """
    capital, small = (
        pl.col("title").str.count_matches(rf" {letter}\p{{L}}{{3}}")
        for letter in (r"\p{Lu}", r"\p{Ll}")
    )
    by_itself = (pl.col("at") > 0) & (small > 0) & (2 * small >= capital)
    return pl.col("word").str.contains(f"^(?:{_CODE})$") | by_itself


def _find_everywhere(
    defined: pl.DataFrame, titles: pl.DataFrame, *, ions: bool = False
) -> pl.DataFrame:
    """Find a word where it was defined, and wherever it stands again behind that.

    Args:
        defined: columns row, drug, word and at, from which on the title is searched.
        titles: columns row and title.
        ions: whether a plus behind the word belongs to it, too, so that it is another word.

    Returns:
        Columns row, drug, start and end.
    """
    word, part, key = pl.col("word"), pl.col("part"), "definition"
    length, size = (text.str.len_chars().cast(pl.Int64) for text in (word, part))
    is_first, is_last = (pl.int_range(pl.len()).over(key) == 0), part.shift(-1).over(key).is_null()
    # Where the word stands twice with nothing between, it is itself what stands beside it.
    before = pl.when(is_first).then(part).otherwise(word + part)
    after = pl.when(is_last).then(part).otherwise(part + word).shift(-1).over(key)
    return (
        defined.select("row", "drug", "word", "at")
        .unique(maintain_order=True)
        .with_row_index(key)
        .join(titles, on="row", maintain_order="left")
        # The text between the places where the word stands.
        .with_columns(part=pl.col("title").str.slice("at").str.split(word))
        .explode("part", empty_as_null=False)
        .with_columns(
            start=pl.col("at") + (size + length).cum_sum().over(key) - length,
            before=before,
            after=after,
        )
        .filter(
            ~is_last,
            ~pl.col("before").str.contains(rf"{LETTER_OR_DIGIT}$"),
            ~pl.col("after").str.contains(rf"^(?:{LETTER_OR_DIGIT}{'|' + _PLUS if ions else ''})"),
        )
        .select("row", "drug", "start", end=pl.col("start") + length)
    )


def _find_ions(titles: pl.DataFrame, elements: pl.DataFrame) -> pl.DataFrame:
    """Find the formulas of the ions of drugs that are elements."""
    symbol = pl.col("word").str.extract(r"^(\p{L}+)")
    written = (
        titles.filter(pl.col("title").str.contains(_CHARGE))
        .with_columns(word=pl.col("title").str.extract_all(_FORMULA).list.unique())
        .explode("word")
        .drop_nulls("word")
        .select("row", "word", symbol=symbol, at=pl.lit(0, dtype=pl.Int64))
        .join(elements, on="symbol")
    )
    return _find_everywhere(written, titles, ions=True)


_RULES: Mapping[SpanOrigin, Callable[[pl.DataFrame], pl.DataFrame]] = {
    SpanOrigin.ABBREVIATION: _define_abbreviations,
    SpanOrigin.IN_BRACKETS: _take_names_in_brackets,
    SpanOrigin.BEFORE_BRACKETS: _take_names_before_brackets,
}
