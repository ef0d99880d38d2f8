"""The base classes of sources: they declare everything in which one source differs from another.

One module of this package declares one source. All other rooms iterate over the registry
(`drug_assets.sources`) and use only the members declared here, not the names of sources. Importing
a source does not import Polars: methods that need it import it when they are called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from drug_assets.terms import DATE_FORM, ID_FORM, ISSN_FORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from drug_assets.contracts import Contract
    from drug_assets.fetch import PublicService, Vocabulary
    from drug_assets.formats.json_shapes import JsonShape
    from drug_assets.formats.record_shape import KnownTable, RecordShape
    from drug_assets.terms import TrialPublicationKind


class SourceContracts(NamedTuple):
    """The contracts of one source."""

    #: Of its raw rows.
    raw: Contract
    #: Of its records: raw rows, each cleaned by itself.
    records: Contract
    #: Of its cleaned table.
    cleaned: Contract


class Reference(NamedTuple):
    """A column that refers to another source: from trials to publications, or the other way."""

    #: A column of the raw table, where bars separate the ids; and the column of the cleaned table
    #: that lists them.
    column: str
    #: The name of the other source.
    to: str
    #: What the reference says of the publication and the trial.
    kind: TrialPublicationKind


class Links(NamedTuple):
    """Where the publications of a source are shown, on a site of its owner."""

    #: The name of the site, for people.
    site: str
    #: The ids that it shows, as a regular expression of the whole id; others lead nowhere.
    form: str
    #: The address of a publication, with `{id}` in the place of its id.
    address: str


class Source(ABC):
    """One source of the landing zone."""

    #: The name of its cleaned table; names such as `raw_NAME` contain it.
    name: ClassVar[str]
    #: Its rank among the sources, in lists that people read.
    order: ClassVar[int]
    #: A delimited file must have at least one of these fields.
    required: ClassVar[tuple[str, ...]]
    #: Names of fields, by another spelling of each in headers and JSON keys, as `normalize_header`
    #: returns it.
    aliases: ClassVar[Mapping[str, str]] = {}
    #: Spellings, as `normalize_header` returns them, that are preferred to other spellings of their
    #: field where a file has several.
    preferred: ClassVar[frozenset[str]] = frozenset()
    #: By field, the spellings of the parts that it can be given in, in order.
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: Spellings, as `normalize_header` returns them, of columns of its known exports that are no
    #: field: nobody is told that they are not read.
    ignored: ClassVar[frozenset[str]] = frozenset()
    #: By field, the regular expression that its values match, where that tells them from others: a
    #: row whose columns slipped is put together by it.
    forms: ClassVar[Mapping[str, str]] = {}
    #: The fields that can have several values.
    listed: ClassVar[frozenset[str]] = frozenset()
    #: Names of the formats of its files.
    formats: ClassVar[tuple[str, ...]] = ("json", "csv")
    #: The names of its files as their owners give them, beside those that its formats declare
    #: (`formats.Format.owners_files`): regular expressions of whole names in lower case, without
    #: `.gz`.
    owners_files: ClassVar[tuple[str, ...]] = ()
    #: Columns of its cleaned table that people filter and join by, the most selective first.
    cluster_by: ClassVar[tuple[str, ...]]
    #: The date column by which a warehouse partitions its cleaned table, if there is one.
    partition_by: ClassVar[str | None] = None

    @property
    def file_names(self) -> tuple[str, ...]:
        """How the names of its files, or of folders above them, begin (`source_of_file`)."""
        return (self.name,)

    @abstractmethod
    def contracts(self) -> SourceContracts:
        """The contracts of its tables."""

    def json_shapes(self) -> tuple[JsonShape, ...]:
        """The layouts of JSON in which its records come, besides flat ones."""
        return ()

    def known_tables(self) -> tuple[KnownTable, ...]:
        """The tables that are read as declared, since their columns do not say what they mean.

        If the rows of some are parts of records (`has_parts`), the contract of its records has the
        column of `contracts.PartialRecords`.
        """
        return ()

    def unread_files(self) -> Mapping[str, str]:
        """Files of known deliveries that are passed over: what they hold, by words in their names.

        A word stands between characters that are no letters.
        """
        return {}

    def has_parts(self) -> bool:
        """Whether the rows of some tables are parts of the records of another one."""
        return any(table.is_of_parts() for table in self.known_tables())

    @cache  # noqa: B019 - there are as many sources as modules in this package
    def record_shape(self) -> RecordShape:
        """The description of its records that readers of its files need."""
        from drug_assets.contracts import RawRecord, polars_schema
        from drug_assets.formats.record_shape import RecordShape

        schema = polars_schema(self.contracts().raw)
        common_columns = RawRecord.column_names()
        return RecordShape(
            source=self.name,
            schema=schema,
            fields=tuple(column for column in schema if column not in common_columns),
            required=self.required,
            aliases=self.aliases,
            preferred=self.preferred,
            parts=self.parts,
            forms=self.forms,
            listed=self.listed,
            formats=self.formats,
            json_shapes=self.json_shapes(),
            known_tables=self.known_tables(),
            unread_files=self.unread_files(),
        )

    def read_id(self, text: pl.Expr) -> pl.Expr:
        """The id that a cleaned text gives, in one form; null if it cannot be an id."""
        from drug_assets.cleaning.ids import read_any_id

        return read_any_id(text)

    @abstractmethod
    def clean_records(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Clean each raw row by itself: the result for a row must not depend on other rows.

        Args:
            raw: rows of its raw contract.

        Returns:
            The records: as many rows, of its contract for records.
        """


class DrugList(Source):
    """A source of drugs, whose names are searched for."""

    #: The vocabularies that are pulled from their owners: by name, what they are, for people.
    vocabularies: ClassVar[Mapping[str, str]] = {}

    def vocabulary(self, name: str) -> Vocabulary:
        """The vocabulary of a name of `vocabularies`.

        Raises:
            LookupError: the source has no such vocabulary.
        """
        raise LookupError(f"{self.name} has no vocabulary {name}")


class PublicationSource(Source):
    """A source of publications, whose titles are searched."""

    cluster_by = ("journal_id", "publication_id")
    partition_by = "date"
    forms: ClassVar[Mapping[str, str]] = {
        "id": ID_FORM,
        "date": DATE_FORM,
        "nlm_id": ID_FORM,
        "issn": ISSN_FORM,
    }
    #: The name of its publications for people, such as "PubMed articles".
    publications: ClassVar[str]
    #: The type of its publications in the graph document.
    document_type: ClassVar[str]
    #: Where people read its publications; None if nowhere.
    links: ClassVar[Links | None] = None
    #: Whether its publications can be retracted: then its tables have a column `retracted`.
    can_be_retracted: ClassVar[bool] = False
    #: Columns of its records that hold a title; the title that is shown comes first.
    titles: ClassVar[tuple[str, ...]] = ("title",)
    #: Names of the fields that the title is made from, those first that it is taken from first.
    title_fields: ClassVar[tuple[str, ...]] = ("title",)
    #: Fields of a raw row that give its date: `date` is the first of them that can be read. Records
    #: and the cleaned table also have each one but `date` by itself, with its precision.
    date_fields: ClassVar[tuple[str, ...]] = ("date",)
    #: Field of a raw row that says when the record was revised; None if there is none.
    revision_field: ClassVar[str | None] = None
    #: Name of the public service that its records can be pulled from, for people.
    pulled_from: ClassVar[str | None] = None
    #: Its columns that refer to another source.
    references: ClassVar[tuple[Reference, ...]] = ()
    #: What separates its ids in a field that lists them, beside bars, and brackets around them.
    id_separators: ClassVar[str] = r"[;,\n\t\[\]\"']+"
    #: Pattern of its ids in running text, if they can be told from other words.
    id_in_text: ClassVar[str | None] = None
    #: Pattern, faster to search for, that matches wherever `id_in_text` does.
    sign_of_id: ClassVar[str] = ""

    def title(self) -> pl.Expr:
        """The title of a raw row: the first of `title_fields`, cleaned already, that has one."""
        import polars as pl

        return pl.coalesce(self.title_fields)

    def canonical_id(self, text: pl.Expr) -> pl.Expr:
        """The form in which an id of this source is kept and compared; null if it is none."""
        from drug_assets.cleaning.text import clean_field

        return self.read_id(clean_field(text))

    def title_issue(self) -> pl.Expr | None:
        """The issue of the title of a raw row, or null; None if no title has an issue.

        Its input is raw rows with cleaned `title_fields`.
        """
        return None

    def version(self) -> pl.Expr | None:
        """The version (Int64) of a raw row within its id; None if the source has no versions."""
        return None

    def withdraws(self) -> pl.Expr | None:
        """Whether a raw row only withdraws earlier rows of its id; None if no row does."""
        return None

    def referred_sources(self) -> tuple[PublicationSource, ...]:
        """The sources that `references` refer to.

        The source imports them here, since they can refer back; and not the registry, so that the
        version of its rules depends on no other source.
        """
        return ()

    def referred_ids(self, reference: Reference) -> pl.Expr:
        """The ids of another source that a raw row gives, and those that its title names.

        Args:
            reference: one of its references. The input is raw rows with a cleaned `title`.

        Returns:
            A list of ids in their canonical form, each once, in the order of the row; never null.
        """
        import polars as pl

        from drug_assets.cleaning.ids import find_ids
        from drug_assets.terms import SEPARATOR

        (other,) = (source for source in self.referred_sources() if source.name == reference.to)
        listed = pl.col(reference.column).str.replace_all(other.id_separators, SEPARATOR)
        texts = [listed]
        if other.id_in_text is not None:
            texts.append(find_ids(pl.col("title"), other.id_in_text, other.sign_of_id))
        # Most rows have no id, and stay null until the end: so lists cost nothing for them.
        given = pl.concat_str(texts, separator=SEPARATOR, ignore_nulls=True).replace("", None)
        ids = given.str.split(SEPARATOR).list.eval(other.canonical_id(pl.element()))
        return ids.list.drop_nulls().list.unique(maintain_order=True).fill_null([])

    def merged_columns(self) -> Mapping[str, pl.Expr]:
        """Its own columns that follow from others of its own, where records were merged.

        Their input are publications with every gap filled, so they follow from what was kept.
        """
        return {}

    def own_columns(self) -> Mapping[str, pl.Expr]:
        """Expressions for the columns that only this source has.

        Their input is raw rows with a cleaned `title` and cleaned `title_fields`; where one of
        these is a column of the records, it is one already.
        """
        return {}

    def clean_records(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Clean each raw row by itself; see `cleaning.records`."""
        from drug_assets.cleaning.records import clean_publication_records

        return clean_publication_records(self, raw)

    def service(self) -> PublicService:
        """The public service that `pulled_from` names.

        Raises:
            LookupError: the source has no such service.
        """
        raise LookupError(f"{self.name} is pulled from no service")


class TrialSource(PublicationSource):
    """A source of trials, to which publications of other sources belong."""
