"""The words that a column may contain, each with its meaning (SPEC, "Words of the tables").

Issues, reject reasons, merge rules and precisions are declared here once: contracts check them,
column descriptions and SPEC list them. The code that assigns a word belongs to `formats` and
`cleaning`. This module imports nothing but the standard library.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

#: Separates the values of a multi-valued field in every raw table.
SEPARATOR = "|"
#: The five levels of the WHO's Anatomical Therapeutic Chemical classification.
ATC_CODE = r"^[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?$"
#: The characters of a code of each level: a code begins with those of the classes above it.
ATC_LEVELS = (1, 3, 4, 5, 7)
#: The ids of trial registries: ClinicalTrials.gov and the primary registries of the WHO, and the
#: numbers of the EU. Most have a mark of their own, so they are found in running text, too.
_TRIAL_IDS = (
    *(r"NCT[0-9]{8}", r"ISRCTN[0-9]{8}", r"ACTRN[0-9]{14}", r"DRKS[0-9]{8}", r"KCT[0-9]{7}"),
    *(r"PACTR[0-9]{15,16}", r"TCTR[0-9]{11}", r"LBCTR[0-9]{10}", r"UMIN[0-9]{9}"),
    *(r"RPCEC[0-9]{8}", r"IRCT[0-9]{8,14}N[0-9]{1,3}", r"jRCTs?[0-9]{9,10}", r"NTR[0-9]{2,5}"),
    *(r"CTRI/[0-9]{4}/[0-9]{2,3}/[0-9]{6}", r"SLCTR/[0-9]{4}/[0-9]{3}", r"PER-[0-9]{3}-[0-9]{2}"),
    *(r"ChiCTR(?:-?[A-Z]{2,6})?-?[0-9]{8,10}", r"ITMCTR[0-9]{8,10}", r"JapicCTI-?[0-9]{6}"),
    *(r"JMA-IIA[0-9]{5}", r"RBR-[0-9a-z]{6,8}", r"NL-OMON[0-9]{4,6}"),
    r"(?:EUCTR)?[0-9]{4}-[0-9]{6}-[0-9]{2}(?:-[A-Z]{2}|-[0-9]{2})?",
)
#: The id of a trial in any registry, in any case, where it stands as a word of its own.
TRIAL_ID = rf"(?i)\b(?:{'|'.join(_TRIAL_IDS)})\b"
#: Matches wherever `TRIAL_ID` does, and is found faster: five digits, or the mark of a registry
#: whose ids may have fewer. Without S, which has a case beyond ASCII, it is found faster still.
TRIAL_ID_SIGN = (
    r"[0-9]{5}|[Nn][Ll]-[Oo]|[Nn][Tt][Rr][0-9]|[Pp][Ee][Rr]-[0-9]|[Rr][Bb][Rr]-|[Ll][Cc][Tt][Rr]/"
)
#: Forms of values, as they are written, by which a reader tells columns apart: an id has a digit,
#: and no blank but after a prefix; a date has a year, and no word but of dates.
ID_FORM = r"(?:[A-Za-z]+: ?)?[^\s,;|]*[0-9][^\s,;|]*"
ISSN_FORM = r"(?:ISSN\W{0,2})?[0-9]{4}-?[0-9]{3}[0-9Xx](?:[\s,;|]+[0-9]{4}-?[0-9]{3}[0-9Xx])*"
ATC_CODES_FORM = r"(?i){code}(?:[\s,;|]+{code})*".format(code=ATC_CODE.strip("^$"))
PUBMED_IDS_FORM = r"[0-9]{1,9}(?:[\s,;|]+[0-9]{1,9})*"
DATE_FORM = (
    r"(?i)(?=.*(?:[12][0-9]{3}|[0-9][/.-][0-9]{1,2}[/.-][0-9]{2}))(?:"
    r"[0-9]++(?: ?er|st|nde?|rd|th|re|[de]\b)?|"
    r"jan(?:uary|v(?:ier)?)?|f[eé][bv](?:r|ruary|rier)?|mar(?:ch|s)?|a[pv]r(?:il)?|ma[iy]|"
    r"jui?n(?:e)?|jui?l(?:y|let)?|aug(?:ust)?|ao[uû]t|sep(?:t(?:embre|ember)?)?|oct(?:obre|ober)?|"
    r"nov(?:embre|ember)?|d[eé]c(?:embre|ember)?|winter|spring|summer|autumn|fall|hiver|printemps|"
    r"[eé]t[eé]|automne|christmas|no[eë]l|(?:mon|tues|wednes|thurs|fri|satur|sun)(?:day)?|"
    r"q(?:uart(?:er)?|tr)?|trim(?:est(?:re|er)?)?|sem(?:est(?:re|er)?)?|"
    r"le|the|of|de|to|and|au|et|t|z|utc|gmt|[ap]m|[\s.,/:+&()–-])++"
)
#: What R, pandas, Spark, SQL and spreadsheets write where a field holds nothing, in lower case and
#: without `AROUND_MISSING`. The dates are the day zero of spreadsheets, an empty cell.
MISSING_WORDS = frozenset(
    {
        *("na", "n/a", "n.a", "nan", "-nan", "nat", "null", "none", "nil", "undefined", r"\n"),
        *("not available", "#n/a", "#n/a n/a", "#na", "#nv", "#getting_data"),
        *("1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
        *("1900-01-00", "1/0/1900", "01/00/1900", "0/1/1900", "00/01/1900", "00.01.1900"),
        *("-", "--", "---", "–", "—", "?"),
    }
)
#: What may stand around such a word, as in `[Not Available].` and `<NA>`; alone it is nothing.
AROUND_MISSING = " .()[]{}<>\"'"
#: The errors in cells of spreadsheets, in any language: `#DIV/0!`, `#WERT!`, `#¿NOMBRE?`, `#N/D`.
#: They are in capitals; so `#MeToo?` stays a title. CAPITAL stands for a class of capital letters.
_ERROR_CELL = "#[¡¿]?CAPITAL(?:CAPITAL|[0-9_/])*[!?]|#CAPITAL/CAPITAL"
#: The same in the syntax of Polars.
ERROR_CELL = _ERROR_CELL.replace("CAPITAL", r"\p{Uppercase}")
_ERROR_CELL_WITHOUT_CASE = re.compile(_ERROR_CELL.replace("CAPITAL", r"[^\W\d_]"))


def is_missing(text: str | None) -> bool:
    """Whether a field holds nothing.

    It is null, blank, one of `MISSING_WORDS` in any case, or an error in the cell of a spreadsheet.
    """
    if text is None:
        return True
    bare = text.strip().strip(AROUND_MISSING)
    return not bare or bare.lower() in MISSING_WORDS or (bare[0] == "#" and _is_error_cell(bare))


def _is_error_cell(text: str) -> bool:
    letters = filter(str.isalpha, text)
    return bool(_ERROR_CELL_WITHOUT_CASE.fullmatch(text)) and all(map(str.isupper, letters))


class Term(StrEnum):
    """A word that a column may contain; `meaning` explains it in one phrase."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """Create a word with its meaning."""
        term = str.__new__(cls, word)
        term._value_ = word
        term.meaning = meaning
        return term

    @classmethod
    def listed(cls) -> str:
        """All words with their meanings, as column descriptions show them."""
        return "; ".join(f"`{term.value}`: {term.meaning}" for term in cls)


class ReadIssue(Term):
    """What was odd about the form of a record (column `read_issues` of raw tables)."""

    SHORT_ROW = "short_row", "fewer values than the header has columns"
    LONG_ROW = "long_row", "more values than the header has columns"
    BLANK_ROW = "blank_row", "no value but blanks"
    JOINED_ROW = (
        "joined_row",
        "a value with unquoted separators, put together as that is possible in one way only",
    )
    MISALIGNED_ROW = (
        "misaligned_row",
        "more values than columns, and which belongs where cannot be told; `extra` holds the text",
    )
    REPEATED_HEADER = "repeated_header", "the header once more"
    STRAY_QUOTE = "stray_quote", "a quote within a quoted value that is not doubled"
    UNCLOSED_QUOTE = "unclosed_quote", "a quoted value without a proper end"
    INVALID_JSON = "invalid_json", "no valid JSON, `extra` holds the text"
    NOT_AN_OBJECT = "not_an_object", "JSON, but no object, `extra` holds the value"
    DUPLICATE_KEY = "duplicate_key", "a key that the object contains twice; the first value is used"
    NOT_TEXT = "not_text", "an object or list where a text is due, `extra` holds it"
    NOT_UTF8 = "not_utf8", "bytes that are not UTF-8, read as Windows-1252"
    INVALID_UNICODE = "invalid_unicode", "half a character, replaced by U+FFFD"
    CONTROL_CHARACTER = "control_character", "characters that no text may hold, which were dropped"
    DAMAGED_RECORD = "damaged_record", "damage that cannot be mended, `extra` holds the text"
    STRAY_LINE = "stray_line", "lines that belong to no field, `extra` holds them"
    PART_OF_RECORD = (
        "part_of_record",
        "not odd: a row of a table that adds to the records of another one",
    )
    NOT_A_DRUG = (
        "not_a_drug",
        "not odd: a row of a vocabulary for something else, such as a product, group or species",
    )
    NOT_FOR_USE = (
        "not_for_use",
        "not odd: a row that needs a licence, is in another language, or suppressed by its owner",
    )
    PASSED_OVER = (
        "passed_over",
        "not odd: it stands for rows that say nothing of names, `extra` has their number",
    )


#: The read issues that say what a row is, and not that anything is wrong with it.
SOUND_ISSUES = (
    *(ReadIssue.PART_OF_RECORD, ReadIssue.NOT_A_DRUG, ReadIssue.NOT_FOR_USE),
    ReadIssue.PASSED_OVER,
)


class Issue(Term):
    """What a reader of a cleaned record should know (column `issues`)."""

    MISSING_ID = "missing_id", "no id was given, so it is a hash of title, date and journal"
    INVALID_ID = "invalid_id", "what was given cannot be an id: `id_text` has it, a hash its place"
    SHARED_ID = (
        "shared_id",
        "rows with other titles or names, which are not the same, have its id: `id_text` has it",
    )
    VERNACULAR_TITLE = "vernacular_title", "its only title is the one in its own language"
    MISSING_DATE = "missing_date", "no date was given"
    MONTH_FIRST_DATE = "month_first_date", "the date can only be read with the month first"
    PARTLY_READ_DATE = "partly_read_date", "only the year, month or season of the date can be read"
    UNREADABLE_DATE = "unreadable_date", "the date that was given cannot be read"
    MISSING_JOURNAL = "missing_journal", "no journal was given"
    MERGED_DUPLICATE = "merged_duplicate", "rows of one work that differ were merged into it"
    CONFLICTING_DUPLICATE = (
        "conflicting_duplicate",
        "rows of its id with another title, date or journal were merged into it",
    )
    INVALID_ATC_CODE = "invalid_atc_code", "one of its codes does not have the shape of an ATC code"
    MISSING_CODE = "missing_code", "the list gives no code for it"
    REFUSED_JOIN = (
        "refused_join",
        "another drug has one of its identifiers, too, but is not the same",
    )
    UNSEARCHABLE_NAME = "unsearchable_name", "one of its names has no letter"
    STOPPED_NAME = "stopped_name", "one of its names is not safe, and is not searched for"


class RejectReason(Term):
    """Why a raw row was rejected (column `reasons` of `rejected_records`)."""

    BLANK_ROW = "blank_row", ReadIssue.BLANK_ROW.meaning
    INVALID_JSON = "invalid_json", ReadIssue.INVALID_JSON.meaning
    NOT_AN_OBJECT = "not_an_object", ReadIssue.NOT_AN_OBJECT.meaning
    MISALIGNED_ROW = "misaligned_row", ReadIssue.MISALIGNED_ROW.meaning
    REPEATED_HEADER = "repeated_header", ReadIssue.REPEATED_HEADER.meaning
    DAMAGED_RECORD = "damaged_record", ReadIssue.DAMAGED_RECORD.meaning
    BLANK_TITLE = "blank_title", "no title: it can mention nothing"
    BLANK_NAME = "blank_name", "no name of a drug"
    ATC_GROUP = "atc_group", "a group of the WHO's ATC table, no substance"
    NOT_A_DRUG = "not_a_drug", ReadIssue.NOT_A_DRUG.meaning.removeprefix("not odd: ")
    NOT_FOR_USE = "not_for_use", ReadIssue.NOT_FOR_USE.meaning.removeprefix("not odd: ")
    PASSED_OVER = "passed_over", ReadIssue.PASSED_OVER.meaning.removeprefix("not odd: ")
    NAMES_NO_DRUG = (
        "names_no_drug",
        "it adds to a substance that no list names, or to a product of none or of several",
    )
    OUT_OF_TREES = "out_of_trees", "a record of MeSH outside the trees that are read"
    DELETION = "deletion", "it only withdraws earlier records of its id"
    DELETED = "deleted", "a later record of its id withdrew it"
    NO_RECORD_OF_ITS_ID = (
        "no_record_of_its_id",
        "a part of a record that is not there, or whose id is not its own",
    )


#: The reasons of rows that a sound delivery has many of: they are no sign that anything is wrong.
EXPECTED_REASONS = (
    *(RejectReason.ATC_GROUP, RejectReason.NOT_A_DRUG, RejectReason.NOT_FOR_USE),
    *(RejectReason.PASSED_OVER, RejectReason.NAMES_NO_DRUG, RejectReason.OUT_OF_TREES),
)
#: The read issues of rows that cannot be kept: they are reject reasons, too.
REJECTING_ISSUES = tuple(why for why in RejectReason if str(why) in frozenset(map(str, ReadIssue)))


class MergeRule(Term):
    """Why a raw row went into another one (column `rule` of the `merged_` tables)."""

    SAME_CONTENT = "same_content", "all its values are those of the row that was kept"
    MERGED_DUPLICATE = (
        "merged_duplicate",
        "the same publication: it differs, but contradicts nothing",
    )
    CONFLICTING_DUPLICATE = (
        "conflicting_duplicate",
        "the same id, but another title, date or journal",
    )
    SAME_DRUG = "same_drug", "the same drug by name or identifier"
    FORM_OF_DRUG = "form_of_drug", "a salt, ester, hydrate or isomer of the drug, as a list says"
    PART_OF_RECORD = "part_of_record", "a row of another table, which adds to the record of its id"


class IdentifierScheme(Term):
    """Identifiers by which lists name a substance (prefix of the items of columns `xrefs`).

    The order is that of precedence: of the ids that lists give a drug, the first becomes its
    `drug_id`.
    """

    DRUGBANK = "drugbank", "DrugBank's accession number"
    UNII = "unii", "FDA's unique ingredient identifier"
    CHEMBL = "chembl", "ChEMBL's id of a compound"
    MESH = "mesh", "MeSH's unique id of a descriptor or a supplementary record"
    RXCUI = "rxcui", "RxNorm's concept unique identifier"
    BDPM = "bdpm", "code of a substance in the French public drug database"
    CAS = "cas", "registry number of the Chemical Abstracts Service"
    INCHIKEY = "inchikey", "InChIKey of its structure"


class NameKind(Term):
    """What a name of a drug is (column `kind` of `drug_names`).

    The order is that of precedence: a name that a list gives as several is the first.
    """

    PREFERRED = "preferred", "the name under which the list has it"
    SYNONYM = "synonym", "another name"
    BRAND = "brand", "the name of a product"
    CODE = "code", "a code of research or of a company"
    FORM = "form", "the name of a salt, ester, hydrate or isomer of it"
    VARIANT = "variant", "in no list: a spelling that a rule makes from a name"


class SpanOrigin(Term):
    """By what a mention was found (member `by` of the spans of mentions).

    All but the first are rules that `DRUG_ASSETS_MENTION_RULES` asks for. The order is that of
    precedence: a span that several justify is that of the first.
    """

    NAME = "name", "a name of the drug"
    ABBREVIATION = (
        "abbreviation",
        "short for a name, in brackets behind it or again behind that: doxorubicin (DOX)",
    )
    IN_BRACKETS = (
        "in_brackets",
        "what looks like a name, in brackets behind a name or again behind that: bupropion (Zyban)",
    )
    BEFORE_BRACKETS = (
        "before_brackets",
        "what looks like a name, before one in brackets or again behind that: FK506 (tacrolimus)",
    )
    ION = "ion", "the formula of an ion of the element that the drug is: Ca2+"


class TrialPublicationKind(Term):
    """How a publication belongs to a trial (column `kind` of `trial_publications`).

    The order is that of precedence: a publication with several has the first.
    """

    RESULT = "result", "the trial says that it reports its results"
    DERIVED = "derived", "the registry found the trial's id in it"
    BACKGROUND = "background", "the trial refers to it, and does not say that it reports results"
    NAMED = "named", "it names the trial's id, and the trial does not refer to it"


class ReferenceSide(Term):
    """Which of the two names the other (column `given_by` of `trial_publications`)."""

    TRIAL = "trial", "the trial lists the publication"
    PUBLICATION = "publication", "the publication names the trial"
    BOTH = "both", "each names the other"


class MentionChange(Term):
    """How a mention differs from the release before (column `change` of `new_mentions`)."""

    ADDED = "added", "that release has no such mention"
    CHANGED = "changed", "it has another journal, date or title there"
    GONE = "gone", "only that release has it"
    NO_LONGER_SEARCHED = (
        "no_longer_searched",
        "only that release has it, and its drug is on the list no more",
    )


class ListChange(Term):
    """How a list differs from the release before (column `change` of `changed_names`)."""

    ADDED = "added", "that release does not have it"
    DROPPED = "dropped", "only that release has it"


class DatePrecision(Term):
    """How much of a date is known (column `date_precision`)."""

    DAY = "day", "all of it"
    MONTH = "month", "year and month"
    SEASON = "season", "year and season, quarter or half"
    YEAR = "year", "the year alone"
