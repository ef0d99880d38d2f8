"""Text as it is kept and as it is compared (SPEC section 2, "text" and "Folded text").

Two operations, each on a column of a frame: `cleaned` makes text fit to keep and show, `folded`
makes it fit to compare. `fold_text` is `folded` for a single string, and needs no Polars, so that
what answers questions on the command line can fold a drug's name at once. What a field means (a
date, a journal, a blank title) does not belong here.
"""

from __future__ import annotations

import html
import unicodedata
from functools import cache
from html.entities import html5
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

#: A run of bytes spelt out, as a program prints bytes that it could not show.
_ESCAPES = r"(?:\\x[0-9A-Fa-f]{2})+"

#: A character reference. HTML also takes some names without the semicolon, but then "Health&notes"
#: would become "Health¬es", so only what ends in one is a reference here.
_REFERENCE = r"&(?:#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,7}|[A-Za-z][A-Za-z0-9]*);"

#: Control characters that are no white space, and format characters that only steer layout (soft
#: hyphen, zero-width space, direction marks, byte order mark). The zero-width joiners stay: Persian
#: and Indic scripts are spelt with them.
_INVISIBLE = (
    r"[\x{00}-\x{08}\x{0E}-\x{1F}\x{7F}-\x{84}\x{86}-\x{9F}\x{AD}\x{61C}\x{180E}\x{200B}\x{200E}"
    r"\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}]"
)

#: What any of the rules could change. Most text has none of it and passes untouched: normalizing
#: every row of a million titles takes 3 s, looking for these takes 0.3 s.
_UNTIDY = r"[^ -~]|&|\\x|  |^ | $"

#: Accents are combining marks that stand above, below or attached. Marks of lower classes are part
#: of the letter in their script (Japanese voicing, Indic nukta, Hebrew points) or negate it (≠).
_LOWEST_ACCENT_CLASS = 200

#: No character beyond these planes has a case or a decomposition but the CJK compatibility
#: ideographs of plane 2; scanning only them keeps the first call short.
_FOLDING_CHARACTERS = (range(0x20000), range(0x2F800, 0x2FA20))


def cleaned(expr: pl.Expr) -> pl.Expr:
    r"""Text fit to keep and show; null where nothing is left of it.

    In this order: runs of literal escapes (`\xc3\xb1`) become the text their bytes spell in UTF-8,
    or nothing where they spell none; HTML character references that end in a semicolon are decoded;
    control characters that are no white space, and invisible format characters, are removed;
    Unicode is composed (NFC); each run of white space, of any kind Unicode knows, becomes one
    blank, none at either end.

    Escapes and references are decoded once: `&amp;lt;` becomes `&lt;`. Cleaning cleaned text
    changes nothing, unless decoding left something that reads as an escape or a reference again.

    Args:
        expr: A String column.
    """
    import polars as pl

    untidy = expr.str.contains(_UNTIDY)
    tidied = (
        pl.when(untidy).then(expr).map_batches(_tidied, return_dtype=pl.String, is_elementwise=True)
    )
    text = pl.when(untidy).then(tidied).otherwise(expr)
    return text.replace("", None)


def folded(expr: pl.Expr) -> pl.Expr:
    """Text fit to compare: lower case, without accents, and as many characters as before.

    Every character is folded by itself, to one character: so `ß` stays and does not become `ss`,
    `İ` becomes `i`, every sigma is `σ`. Offsets in the folded text are offsets in the text. Marks
    that NFC leaves on their own stay too. Folding folded text changes nothing.

    Args:
        expr: A String column in NFC, as `cleaned` gives it.
    """
    import polars as pl

    ascii_only = expr.str.len_bytes() == expr.str.len_chars()
    others = pl.when(~ascii_only).then(expr)
    return (
        pl.when(ascii_only)
        .then(expr.str.to_lowercase())
        .otherwise(others.str.replace_many(*_folds()))
    )


def fold_text(text: str) -> str:
    """One string folded exactly as `folded` folds a column.

    Args:
        text: A string in NFC.
    """
    return "".join(map(_fold, text))


@cache
def _folds() -> tuple[list[str], list[str]]:
    """The characters that fold to another one, and what each folds to."""
    characters = (chr(c) for c in chain(*_FOLDING_CHARACTERS) if not 0xD800 <= c < 0xE000)
    # What has neither case nor decomposition, as most have, is seen at once to be its own fold.
    cased_or_composed = (
        c for c in characters if c.casefold() != c or c.lower() != c or unicodedata.decomposition(c)
    )
    pairs = [(c, fold) for c in cased_or_composed if (fold := _fold(c)) != c]
    before, after = zip(*pairs, strict=True)
    return list(before), list(after)


def _fold(character: str) -> str:
    """One character folded to one: base letter first, then case, until neither changes it."""
    if unicodedata.combining(character):
        return character
    decomposed = unicodedata.normalize("NFD", character)
    accents = map(unicodedata.combining, decomposed[1:])
    bare = decomposed[0] if all(c >= _LOWEST_ACCENT_CLASS for c in accents) else character
    # Case folding, unlike lower case, knows that ς and σ or ſ and s are one; where it gives several
    # characters (ß, ligatures), lower case stands in.
    fold = next((c for c in (bare.casefold(), bare.lower()) if len(c) == 1), bare)
    return fold if fold == character else _fold(fold)


def _tidied(text: pl.Series) -> pl.Series:
    """The texts that are there, tidied; Polars would search what lies beneath a null, too."""
    there = text.is_not_null()
    tidied = (
        _decoded(text.filter(there))
        .str.replace_all(_INVISIBLE, "")
        .str.normalize("NFC")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars(" ")
    )
    return text.clone().scatter(there.arg_true(), tidied)


def _decoded(text: pl.Series) -> pl.Series:
    """Literal escapes and then character references decoded, once each."""
    unescaped = _replaced(text, _ESCAPES, _spelt_by)
    return _replaced(unescaped, _REFERENCE, _referred_to_by)


def _replaced(text: pl.Series, pattern: str, replacement: Callable[[str], str]) -> pl.Series:
    """Every match of the pattern replaced; Python sees each different match once."""
    matching = text.filter(text.str.contains(pattern))
    if matching.is_empty():
        return text
    matches = matching.str.extract_all(pattern).explode().unique().to_list()
    # The longest first: a run of escapes may begin as a shorter run does.
    matches.sort(key=lambda match: (-len(match), match))
    return text.str.replace_many(matches, [replacement(m) for m in matches], leftmost=True)


def _spelt_by(escapes: str) -> str:
    r"""The text that a run of escapes spells in UTF-8: `\xc3\xb1` is ñ, `\xc3\x28` is nothing."""
    try:
        return bytes.fromhex(escapes.replace(r"\x", "")).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _referred_to_by(reference: str) -> str:
    """The character that `&name;`, `&#8211;` or `&#x2013;` stands for; unknown names stay."""
    if reference.startswith("&#"):
        return html.unescape(reference)
    return html5.get(reference.removeprefix("&"), reference)
