"""Publication types and corrections of a record, and whether it was retracted (SPEC 2).

The text of the two fields is split here, however their lists are written. Which record is kept
where several of one id differ belongs to `duplicates`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drug_assets.cleaning.text import map_distinct, split_texts
from drug_assets.terms import SEPARATOR, is_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

#: Text that may be a list written in another way than with bars.
_OTHERWISE_LISTED = r"[;,:\[({\n\t·•]| / "
#: What stands around a list as JSON, Python, numpy, R or Java write one.
_BRACKETED = r"(?s)\s*(?:c|list|array|set|tuple)?[\[({]+(.*?)[\])}]+(?:,\s*dtype=[^()]*\))?\s*"
#: What separates types, whatever else does.
_BETWEEN_TYPES = r"[;\n\t·•]| / "
#: What separates corrections: it is followed by the name of a kind.
_BETWEEN_CORRECTIONS = r"(?i)[;,\n]+\s*(?=[a-z]+ ?[a-z ]*(?:in|of|from|for|on)\b)"
_BETWEEN_QUOTED = r"""["'][\s,]+["']"""
#: The keys of objects, and what separates values in a list of them.
_KEY = r"""(?:"[^"]*"|'[^']*')\s*:\s*(?=["'])"""
_BETWEEN_QUOTED_IN_OBJECTS = r"""["'][\s,{}]+["']"""
_QUOTES = "\"' \t"
#: A MeSH identifier before the name of its type, as pubmed_parser writes types.
_MESH_ID = r"^[DU][0-9]+[\"']?\s*:\s*"
#: A comma that belongs to the name of a type: PubMed has no other types with a comma.
_COMMA_OF_TYPE = (
    r"(?i),\s*(N\.?I\.?H\.?\b|Extramural|Intramural|(?:Non-)?U\.S\. Gov|(?:Non-)?P\.H\.S\.|"
    r"American Recovery|Phase [IV]|Veterinary)"
)
#: Stands for such a comma while a text is split at the others.
_KEPT_COMMA = "\x1a"

#: The types by which PubMed, registries of publications and publishers call a publication
#: retracted. A notice is a "Retraction of Publication". D016441 is the type's MeSH identifier.
_RETRACTED_TYPE = r"(?i)^(?:D016441|retracted(?:[\s_-]?(?:publication|article))?\.?)$"
#: The kinds of correction that tell the same. A notice has `RetractionOf`. An article that was
#: retracted and republished stays retracted: what was published anew is another record.
_RETRACTED_KIND = r"(?i)^(?:Retraction[ _-]?In|Retracted ?and ?Republished ?In)\b"


def split_publication_types(types: pl.Expr) -> pl.Expr:
    """Split the publication types of a record into a list of cleaned values, without blank ones.

    They can be separated by bars, semicolons or line ends, or be a list as JSON, Python, R or Java
    print one; commas separate them if nothing else does, save those within the name of a type. A
    MeSH identifier before a type (`D016428:Journal Article`) is left out.

    Args:
        types: A String column.
    """
    import polars as pl

    return map_distinct(types, _split_types, pl.List(pl.String), of_null=[])


def split_corrections(corrections: pl.Expr) -> pl.Expr:
    """Split the corrections of a record into a list of cleaned values, without blank ones.

    They are separated by bars, or by semicolons, commas or line ends before the name of a kind.

    Args:
        corrections: A String column.
    """
    import polars as pl

    return map_distinct(corrections, _split_corrections, pl.List(pl.String), of_null=[])


def is_retracted(types: pl.Expr, corrections: pl.Expr) -> pl.Expr:
    """Whether a record was retracted: null if neither types nor corrections are given.

    Args:
        types: A String column of publication types, as written.
        corrections: A String column of kinds of corrections, each with an id or not, as written.
    """
    import polars as pl

    return _either(
        map_distinct(types, _tells(_split_types, _RETRACTED_TYPE), pl.Boolean(), of_null=None),
        map_distinct(
            corrections, _tells(_split_corrections, _RETRACTED_KIND), pl.Boolean(), of_null=None
        ),
    )


def lists_tell_retracted(types: pl.Expr, corrections: pl.Expr) -> pl.Expr:
    """Whether a publication was retracted, as `is_retracted`, from lists that were split already.

    Args:
        types: A column of lists of publication types.
        corrections: A column of lists of corrections.
    """
    return _either(_any_matches(types, _RETRACTED_TYPE), _any_matches(corrections, _RETRACTED_KIND))


def _either(*told: pl.Expr) -> pl.Expr:
    """Whether one sign tells that a publication was retracted; null where there is none."""
    import polars as pl

    given = pl.any_horizontal(sign.is_not_null() for sign in told)
    return pl.when(given).then(pl.any_horizontal(sign.fill_null(value=False) for sign in told))


def _split_types(texts: pl.Series) -> pl.Series:
    otherwise = texts.str.contains(_OTHERWISE_LISTED).fill_null(value=False)
    written = [_write_with_bars(text) for text in texts.filter(otherwise)]
    return split_texts(texts.clone().scatter(otherwise.arg_true(), written))


def _split_corrections(texts: pl.Series) -> pl.Series:
    otherwise = texts.str.contains(r"[;,\n]").fill_null(value=False)
    written = [re.sub(_BETWEEN_CORRECTIONS, SEPARATOR, text) for text in texts.filter(otherwise)]
    return split_texts(texts.clone().scatter(otherwise.arg_true(), written))


def _tells(
    split: Callable[[pl.Series], pl.Series], pattern: str
) -> Callable[[pl.Series], pl.Series]:
    """Whether any value of each text matches a pattern; null where it holds no value."""

    def tell(texts: pl.Series) -> pl.Series:
        import polars as pl

        told = _any_matches(pl.col("values"), pattern)
        return split(texts).alias("values").to_frame().select(told).to_series()

    return tell


def _any_matches(values: pl.Expr, pattern: str) -> pl.Expr:
    """Whether any value of each list matches a pattern; null where it is empty."""
    import polars as pl

    matches = values.list.eval(pl.element().str.contains(pattern)).list.any()
    return pl.when(values.list.len() > 0).then(matches)


def _write_with_bars(text: str) -> str:
    """The types that one text lists, with bars between them."""
    bracketed = re.fullmatch(_BRACKETED, text)
    if bracketed and re.match(_KEY, bracketed[1]):
        return _write_words_with_bars(bracketed[1])
    bare = re.sub(_BETWEEN_QUOTED, SEPARATOR, bracketed[1] if bracketed else text)
    bare = re.sub(_BETWEEN_TYPES, SEPARATOR, bare)
    if SEPARATOR not in bare:
        kept = re.sub(_COMMA_OF_TYPE, rf"{_KEPT_COMMA} \1", bare)
        bare = kept.replace(",", SEPARATOR).replace(_KEPT_COMMA, ",")
    types = (
        re.sub(_MESH_ID, "", kind.strip(_QUOTES)).strip(_QUOTES) for kind in bare.split(SEPARATOR)
    )
    return SEPARATOR.join(kind for kind in types if not is_missing(kind))


def _write_words_with_bars(objects: str) -> str:
    """The types in the text of objects, with bars between them: their values that have no digit."""
    values = re.split(_BETWEEN_QUOTED_IN_OBJECTS, re.sub(_KEY, "", objects))
    words = (value.strip(_QUOTES) for value in values)
    return SEPARATOR.join(
        word for word in words if not re.search("[0-9]", word) and not is_missing(word)
    )
