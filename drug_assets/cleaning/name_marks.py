"""Names as drug lists write them -> names without marks (SPEC 2, "drug").

A list writes marks at a name that are no part of it: of a trade mark, of a footnote, of the body
that approved the name. Titles have the name without them. A name is searched for, and drugs are
told apart, without its marks; what is shown stays as it is written.

`without_marks` works on a column, `string_without_marks` on a single string, without Polars.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: The syntax of these patterns means the same in Polars and in Python.
#: What is no part of a name wherever it stands.
_ANYWHERE = r"[(\[][®™℠©†‡°Ⓡ][)\]]|[®™℠©†‡°Ⓡ]|\((?:TM|Tm|tm|SM)\)"
#: Bodies and books that name substances: INN and its national kinds, pharmacopoeias.
_BODY = (
    r"(?:(?:USP(?:[-/ ]?NF)?|NF|(?:[RrPp]|[Rr]ec\.? ?|[Pp]rop\.? ?)?INNM?|BANM?|USAN|JAN|JP|DCF"
    r"|DCIT?|BP|EP|Ph\.? ?Eur\.?)(?:-[A-Z][a-z]+)?(?: ?[0-9]{1,4})?)"
)
_BODIES = rf"{_BODY}(?:[/,;:& ]+{_BODY})*"
_AT_THE_START = r"^[\s*]+"
_AT_THE_END = rf"(?:\s*(?:[.,;:*…]|[(\[]\s*{_BODIES}\s*[)\]]|,\s*{_BODIES}))+\s*$"
#: Matches a whole name of words, numbers and single blanks alone: it has no marks.
_WORD = "[A-Za-z0-9-]+(?:,[0-9][A-Za-z0-9-]*)*"
_PLAIN = re.compile(f"^{_WORD}(?: {_WORD})*$")
_STEPS = ((_ANYWHERE, ""), (_AT_THE_START, ""), (_AT_THE_END, ""), (r"\s+", " "))


def without_marks(name: pl.Expr) -> pl.Expr:
    """Remove marks from names; a name of marks alone stays as it is.

    Args:
        name: A String column, cleaned.
    """
    import polars as pl

    return name.map_batches(_remove_marks, return_dtype=pl.String, is_elementwise=True)


def _remove_marks(names: pl.Series) -> pl.Series:
    """The same names without marks; most have none, which is quickly seen."""
    marked = (~names.str.contains(_PLAIN.pattern)).arg_true()
    if marked.is_empty():
        return names
    listed = names.gather(marked)
    bare = listed
    for pattern, instead in _STEPS:
        bare = bare.str.replace_all(pattern, instead)
    bare = bare.str.strip_chars(" ")
    return names.scatter(marked, bare.zip_with(bare != "", listed))


def string_without_marks(name: str) -> str:
    """Remove marks from a single name exactly as `without_marks` does from a column.

    Args:
        name: A name without white space at its ends.
    """
    if _PLAIN.fullmatch(name):
        return name
    bare = name
    for pattern, instead in _STEPS:
        bare = re.sub(pattern, instead, bare)
    return bare.strip(" ") or name
