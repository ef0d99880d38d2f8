"""Answers from the tables of a release, for the command line and for services (SPEC 6).

Each question is one typed function from tables to an answer, a `NamedTuple`, and each answer has
one form as JSON (`forms.Answer`). The tables are lazy: of a table of millions of rows only the
columns and rows that an answer needs are read. Nothing is printed here, and no place is opened.
`document.questions` holds the questions that the graph document answers.

| module | holds |
| --- | --- |
| `finding` | which drugs and journals a person means |
| `names` | the names of drugs that titles are searched for |
| `mentions` | the mentions of drugs |
| `overviews` | the drugs and the journals, with what is known of each |
| `in_brief` | both questions about the graph, in brief |
| `rejections` | the raw rows that were rejected |
| `tracing` | from a mention back to the rows that landed |
| `forms` | answers as JSON and as CSV |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import polars as pl


#: What drugs, and journals, can be sorted by, that of the default first. Ties are sorted by name.
DRUG_ORDERS = ("mentions", "journals", "first", "latest", "name")
JOURNAL_ORDERS = ("drugs", "mentions", "first", "latest", "name")


class Tables(Protocol):
    """The tables of one release."""

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of a table (`sources.tables`), not yet read."""
        ...

    def rows_of_file(self, name: str, source_file: str) -> AbstractContextManager[pl.LazyFrame]:
        """The rows of a table kept by file that follow from one landed file, not yet read.

        They can be read as long as the context lasts. There are none if no such file landed.
        """
        ...
