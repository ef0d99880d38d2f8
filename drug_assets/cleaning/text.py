"""Clean text, to keep and show, and folded text, to compare (SPEC 2, "text" and "Folded text").

Two operations, each on a column of a frame: `clean_text` (for a field that may hold nothing,
`clean_field`) and `fold_text`. `fold_string` is
`fold_text` for a single string. It works without importing Polars, so that the commands that answer
questions start fast. The meaning of a field (a date, a journal, a blank title) does not belong
here.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from html.entities import html5
from itertools import chain
from typing import TYPE_CHECKING

from drug_assets.terms import AROUND_MISSING, ERROR_CELL, MISSING_WORDS, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

#: The characters that must not stand on either side of a name in a title (SPEC 4). Polars syntax.
LETTER_OR_DIGIT = r"[\p{L}\p{N}]"

#: A letter: what a name must have to be searched for. Polars syntax.
LETTER = r"\p{L}"

#: A run of escaped bytes, such as programs print for bytes that they cannot decode.
_ESCAPES = r"(?:\\x[0-9A-Fa-f]{2})+"

#: A character reference. HTML also accepts some names without a semicolon. Here the semicolon is
#: required, since "Health&notes" would otherwise become "Health¬es".
_REFERENCE = r"&(?:#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,7}|[A-Za-z][A-Za-z0-9]*);"

#: Control characters that are no white space, and format characters that only affect layout (soft
#: hyphen, zero-width space, direction marks, byte order mark, variants of signs). The zero-width
#: joiners are not among them: Persian and Indic scripts need them (`_IDLE_JOINERS`).
_INVISIBLE = (
    r"[\x{00}-\x{08}\x{0E}-\x{1F}\x{7F}-\x{84}\x{86}-\x{9F}\x{AD}\x{34F}\x{61C}\x{180E}\x{200B}"
    r"\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{206F}\x{FE00}-\x{FE0F}"
    r"\x{FEFF}\x{FFF9}-\x{FFFB}]"
)

#: Tags that databases write into titles, as they are or escaped: those of HTML that occur there,
#: and all of JATS and MathML. The list is closed, since `p<0.05` and `<all>` are no tags. Those of
#: the first kind part words, the others stand within them.
_ATTRIBUTES = (
    r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|&quot;[^<>&]*&quot;|[^\s"'<>&]+))*\s*/?\s*"""
)
_BLOCK_TAG = rf"(?i)(?:<|&lt;)/?(?:p|br|div|h[1-6]|jats:(?:p|title)){_ATTRIBUTES}(?:>|&gt;)"
_INLINE_TAG = (
    r"(?i)(?:<|&lt;)/?(?:b|i|u|em|strong|italic|bold|sub|sup|inf|sc|scp|span|small|font|tt"
    r"|underline|overline|monospace|roman|math|mi|mn|mo|mrow|mtext|mspace|mstyle|msub|msup|msubsup"
    rf"|mover|munder|mfrac|msqrt|(?:jats|mml):[a-z][\w.-]*){_ATTRIBUTES}(?:>|&gt;)"
)

#: One character that stands for several letters: ligatures and Roman numerals.
_SEVERAL_LETTERS = {
    chr(code): unicodedata.normalize("NFKC", chr(code))
    for code in chain(range(0xFB00, 0xFB07), range(0x2160, 0x2180))
}

#: A joiner after a letter or a sign of scripts in which it changes nothing, or at the beginning.
_IDLE_JOINERS = (
    r"([\p{Latin}\p{Greek}\p{Cyrillic}\x{300}-\x{36F}\p{N}\p{P}\s]|^)[\x{200C}\x{200D}]+"
)

#: Matches all text that has a tag, a joiner, or a character that stands for several letters.
_FLATTENED = r"[<\x{200C}\x{200D}\x{FB00}-\x{FB06}\x{2160}-\x{217F}]|&lt;"

#: Matches all text that a rule could change. Most text does not match and is left alone:
#: normalizing a million titles takes 3 s, this search 0.3 s.
_UNTIDY = r"[^ -~]|&|</?[A-Za-z]|\\x|  |^ | $"

#: A text of more bytes is no word for a missing field, whatever its typography (4 bytes each).
_MISSING_BYTES = 4 * max(map(len, MISSING_WORDS))

#: Accents are combining marks above or below a letter, or attached to it. Marks of lower classes
#: are part of the letter in their script (Japanese voicing, Indic nukta, Hebrew points) or negate
#: it (≠).
_LOWEST_ACCENT_CLASS = 200

#: Signs that typography has in several forms, and the form that keyboards write. That a prime and
#: an apostrophe fold alike is no loss: no two names differ in them alone. A prime is never dropped,
#: since it tells isomers and positions apart.
_KEYBOARD = {
    "-": "\u02d7\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212"
    "\u2e3a\u2e3b\ufe58\ufe63\uff0d",
    "'": "`\u00b4\u02b9\u02bb\u02bc\u02bd\u2018\u2019\u201b\u2032\u2035\ua78c\uff07",
    '"': "\u02ba\u201c\u201d\u201e\u201f\u2033\u2036\uff02",
}
_SIGNS = {sign: written for written, signs in _KEYBOARD.items() for sign in signs}

#: By number of bytes in UTF-8, a sign that folds to itself and hardly any name has.
_SIGN_OF_BYTES = {1: "\x01", 2: "\u00a7", 3: "\u2020", 4: "\U00010100"}


def clean_text(expr: pl.Expr) -> pl.Expr:
    r"""Clean text to keep and show; null where it becomes empty.

    The steps, in this order:

    1. A run of literal escapes (`\xc3\xb1`) becomes the text that its bytes encode in UTF-8, or is
       removed where they are not UTF-8.
    2. HTML character references that end in a semicolon are decoded.
    3. Control characters that are no white space, and invisible format characters, are removed.
    4. Tags of a closed list are removed, escaped or not.
    5. Ligatures and Roman numerals of one character are spelt out. Unicode is composed (NFC).
    6. Each run of Unicode white space becomes one blank; blanks at either end are removed.

    Escapes and references are decoded once: `&amp;lt;` becomes `&lt;`. Cleaning cleaned text
    changes nothing, unless decoding produced a new escape, reference or tag.

    Args:
        expr: A String column.
    """
    import polars as pl

    return expr.map_batches(_clean, return_dtype=pl.String, is_elementwise=True)


def fold_text(expr: pl.Expr) -> pl.Expr:
    """Fold text to compare it: lower case, without accents and typography, as many characters.

    Each character is folded by itself, to one character: `ß` stays and does not become `ss`, `İ`
    becomes `i`, every sigma becomes `σ`, every dash and minus `-`, every apostrophe and prime `'`;
    full-width, superscript, subscript and mathematical letters and digits become plain ones. So
    offsets in the folded text are offsets in the text.
    Combining marks that NFC does not compose stay. Folding folded text changes nothing.

    Args:
        expr: A String column in NFC, as `clean_text` returns it.
    """
    import polars as pl

    return expr.map_batches(_fold, return_dtype=pl.String, is_elementwise=True)


def blank_raised(expr: pl.Expr) -> pl.Expr:
    """Replace raised characters (`²`, `ᵃ`) by signs that are no letters.

    Most of them lead to a footnote. So beside a name they are no part of a word, though they fold
    to a digit or a letter. Each becomes a sign that folds to itself and has as many bytes as the
    fold of the character.

    Args:
        expr: A String column.
    """
    import polars as pl

    return expr.map_batches(_blank_raised, return_dtype=pl.String, is_elementwise=True)


def clean_field(expr: pl.Expr) -> pl.Expr:
    """Clean the text of a field; null where the field holds nothing.

    Nothing is what `clean_text` leaves nothing of, and a word that programs write in its place
    (`terms.MISSING_WORDS`), whatever its case, its typography and what stands around it; and the
    error of a spreadsheet's cell.

    Args:
        expr: A String column of a raw table.
    """
    import polars as pl

    return expr.map_batches(
        lambda text: _drop_missing_words(_clean(text)),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def map_distinct(
    texts: pl.Expr,
    function: Callable[[pl.Series], pl.Series],
    result: pl.DataType,
    *,
    of_null: object,
) -> pl.Expr:
    """Apply a function to each distinct text once: for columns with few different ones.

    Args:
        texts: A String column.
        function: Returns one value for each text of a Series, independently of the others.
        result: The type of these values.
        of_null: The value that it returns for a null.
    """

    def apply(column: pl.Series) -> pl.Series:
        import polars as pl

        if column.null_count() == len(column):
            # A source has many fields that most of its files lack.
            alone = pl.Series(column.name, [of_null], dtype=result)
            return alone.new_from_index(0, len(column))
        distinct = column.unique()
        results = pl.DataFrame([distinct.alias("text"), function(distinct).alias("result")])
        joined = column.to_frame("text").join(
            results, on="text", how="left", nulls_equal=True, maintain_order="left"
        )
        return joined["result"].alias(column.name)

    return texts.map_batches(apply, return_dtype=result, is_elementwise=True)


def split_values(column: str, form: str | None = None) -> pl.Expr:
    """Split a multi-valued field at its bars into a list of cleaned values, without missing ones.

    Args:
        column: A String column of a raw table.
        form: Where a text has this form, commas, semicolons and blanks separate values, too.
    """
    import polars as pl

    text = pl.col(column)
    if form is not None:
        listed = text.str.contains(f"^(?:{form})$")
        text = pl.when(listed).then(text.str.replace_all(r"[\s,;]+", SEPARATOR)).otherwise(text)
    return map_distinct(text, split_texts, pl.List(pl.String), of_null=[])


def split_texts(texts: pl.Series) -> pl.Series:
    """Split each text at its bars, as `split_values` does.

    Args:
        texts: A String column.
    """
    import polars as pl

    parts = pl.col("text").fill_null("").str.split(SEPARATOR)
    values = parts.list.eval(clean_field(pl.element())).list.drop_nulls()
    return texts.alias("text").to_frame().select(values).to_series()


def clean_string(text: str) -> str:
    """Clean a single string exactly as `clean_text` does, for a name that a person gives.

    It works without importing Polars. Escapes, references, tags and joiners are left alone.

    Args:
        text: Any string.
    """
    if not text.isascii():
        visible = _match_invisible().sub("", text)
        spelt = "".join(_SEVERAL_LETTERS.get(character, character) for character in visible)
        text = unicodedata.normalize("NFC", spelt)
    return " ".join(text.split())


@cache
def _match_invisible() -> re.Pattern[str]:
    """`_INVISIBLE` in Python's syntax."""
    return re.compile(re.sub(r"\\x\{([0-9A-F]+)\}", lambda m: chr(int(m[1], 16)), _INVISIBLE))


def fold_string(text: str) -> str:
    """Fold a single string exactly as `fold_text` folds a column.

    Args:
        text: A string in NFC.
    """
    if text.isascii():
        return text.lower().replace("`", "'")
    return "".join(map(_fold_character, text))


@cache
def _fold_character(character: str) -> str:
    """Fold a character to one character: typography, accents, case; repeat until it is stable."""
    if unicodedata.combining(character):
        return character
    plain = _SIGNS.get(character) or _drop_typography(character)
    if plain != character:
        return _fold_character(plain)
    decomposed = unicodedata.normalize("NFD", character)
    accents = map(unicodedata.combining, decomposed[1:])
    bare = decomposed[0] if all(c >= _LOWEST_ACCENT_CLASS for c in accents) else character
    # Case folding, unlike lower case, makes ς and σ or ſ and s equal. Where it returns several
    # characters (ß, ligatures), lower case is used instead.
    fold = next((c for c in (bare.casefold(), bare.lower()) if len(c) == 1), bare)
    return fold if fold == character else _fold_character(fold)


def _drop_typography(character: str) -> str:
    """The plain form of a character that is printed wide, raised, lowered or in another font.

    A letter in a circle or a square is a sign of its own (Ⓡ), and a sign never becomes a letter.
    """
    if unicodedata.decomposition(character).startswith(("<circle>", "<square>")):
        return character
    plain = unicodedata.normalize("NFKC", character)
    alike = len(plain) == 1 and plain.isalnum() == character.isalnum()
    return plain if alike else character


def _clean(text: pl.Series) -> pl.Series:
    """Apply all steps of `clean_text` to the texts that one of them could change."""
    if text.null_count() == len(text):
        return text
    untidy = text.str.contains(_UNTIDY).arg_true()
    if not untidy.is_empty():
        text = text.clone().scatter(untidy, _tidy(text.gather(untidy)))
    return text.replace("", None)


def _tidy(text: pl.Series) -> pl.Series:
    visible = _decode(text).str.replace_all(_INVISIBLE, "")
    return _flatten(visible).str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars(" ")


def _fold(text: pl.Series) -> pl.Series:
    """Apply `fold_text`, character by character only to texts that are not all ASCII."""
    folded = text.str.to_lowercase().str.replace_all("`", "'", literal=True)
    return _replace_characters(text, _fold_character, of_ascii=folded)


def _blank_raised(text: pl.Series) -> pl.Series:
    return _replace_characters(text, _blank_raised_character, of_ascii=text.clone())


def _blank_raised_character(character: str) -> str:
    """The sign in place of a raised character that folds to a letter or digit; others stay."""
    fold = _fold_character(character)
    is_raised = unicodedata.decomposition(character).startswith("<super>") and fold.isalnum()
    return _SIGN_OF_BYTES[len(fold.encode())] if is_raised else character


def _replace_characters(
    text: pl.Series, replacement: Callable[[str], str], *, of_ascii: pl.Series
) -> pl.Series:
    """Replace every character; `replacement` is called once per distinct character.

    Args:
        text: the texts.
        replacement: returns one character for one.
        of_ascii: the result for each text that is all ASCII; it is changed.
    """
    others = (text.str.len_bytes() != text.str.len_chars()).arg_true()
    if others.is_empty():
        return of_ascii
    texts = text.gather(others)
    # Few of the thousands of characters that fold occur: a search for these alone is faster.
    beyond_ascii = texts.str.extract_all(r"[^\x00-\x7F]+").explode().unique()
    characters = {*map(chr, range(0x80)), *chain.from_iterable(beyond_ascii)}
    changed = {c: new for c in characters if (new := replacement(c)) != c}
    return of_ascii.scatter(others, texts.str.replace_many(changed))


def _drop_missing_words(text: pl.Series) -> pl.Series:
    """Cleaned text; null where it is a word for missing."""
    short = (text.str.len_bytes() <= _MISSING_BYTES).arg_true()
    if short.is_empty():
        return text
    texts = text.gather(short)
    # Nearly all short texts, ids above all, are ASCII and no such word as they stand.
    beyond_ascii = texts.str.len_bytes() != texts.str.len_chars()
    possible = (texts.str.contains(_match_missing()) | beyond_ascii).arg_true()
    if possible.is_empty():
        return text
    words = sorted({"", *map(fold_string, MISSING_WORDS)})
    bare = texts.gather(possible).str.strip_chars(AROUND_MISSING)
    is_missing = _fold(bare).str.strip_chars(AROUND_MISSING).is_in(words)
    is_missing |= bare.str.contains(f"^(?:{ERROR_CELL})$")
    return text.clone().scatter(short.gather(possible).filter(is_missing), None)


@cache
def _match_missing() -> str:
    """Matches text that is a word for missing, if it is ASCII."""
    around = re.escape("".join(c for c in map(chr, range(128)) if fold_string(c) in AROUND_MISSING))
    words = "|".join(sorted(re.escape(word) for word in MISSING_WORDS))
    return rf"^[{around}]*(?:(?i:{words})|{ERROR_CELL})?[{around}]*$"


def _flatten(text: pl.Series) -> pl.Series:
    """Remove tags and idle joiners, spell out characters that stand for several letters."""
    found = text.str.contains(_FLATTENED).arg_true()
    flat = (
        text.gather(found)
        .str.replace_all(_BLOCK_TAG, " ")
        .str.replace_all(_INLINE_TAG, "")
        .str.replace_all(_IDLE_JOINERS, "${1}")
        .str.replace_many(_SEVERAL_LETTERS)
    )
    return text.clone().scatter(found, flat)


def _decode(text: pl.Series) -> pl.Series:
    """Decode literal escapes, then character references, once each."""
    unescaped = _replace_all(text, _ESCAPES, _decode_escapes)
    return _replace_all(unescaped, _REFERENCE, _decode_reference)


def _replace_all(text: pl.Series, pattern: str, replacement: Callable[[str], str]) -> pl.Series:
    """Replace every match of a pattern; `replacement` is called once per distinct match."""
    matching = text.filter(text.str.contains(pattern))
    if matching.is_empty():
        return text
    matches = matching.str.extract_all(pattern).explode().unique().to_list()
    # The longest first: a shorter run of escapes may be the beginning of a longer one.
    matches.sort(key=lambda match: (-len(match), match))
    return text.str.replace_many(matches, [replacement(m) for m in matches], leftmost=True)


def _decode_escapes(escapes: str) -> str:
    r"""The text that a run of escapes encodes in UTF-8: `\xc3\xb1` is ñ, `\xc3\x28` is ""."""
    try:
        return bytes.fromhex(escapes.replace(r"\x", "")).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _decode_reference(reference: str) -> str:
    """The character for `&name;`, `&#8211;` or `&#x2013;`; an unknown name is returned as it is."""
    if reference.startswith("&#"):
        return html.unescape(reference)
    return html5.get(reference.removeprefix("&"), reference)
