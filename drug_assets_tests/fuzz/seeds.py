"""Small files of every format that can be read, made with a random generator that is given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias
from xml.sax.saxutils import escape

from drug_assets import sources
from drug_assets_tests.support.drugbank import Drug, to_drugbank_xml
from drug_assets_tests.support.mesh import Concept, Record, Term, to_mesh_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

#: A file: its name in the landing zone, and its bytes.
Landed: TypeAlias = tuple[str, bytes]

_WORDS = (
    *("aspirin", "Ibuprofen", "5-fluorouracil", "vitamin D3", "", " ", "NA", "null", "\u2010", "é"),
    *(
        "St John's wort",
        "\ufeff",
        "\u200b",
        "𝐚𝐬𝐩",
        "ﬂu",
        "a,b",
        'the "x"',
        "x|y",
        "1\n2",
        "<i>N</i>",
    ),
    *("p<0.05", "&lt;b&gt;", "&amp;", "\\xc3\\xa9", "Not available", "ＡＳＰ", "a\tb", "\u2028"),
)
_DATES = ("2020-01-02", "01/02/2020", "2020", "Jan 2020", "2020 Spring", "", "31/31/2020", "NaT")
_IDS = ("1", "2", "90000001", "9.00E+07", "9.0", "PMID:3", "", "NA", "NCT90000001", "PPR1", "-1")
_JOURNALS = ("J Invent Tests", "Journal of Invented Tests", "", "NULL", "Nature", "Náture ")


def _title(random: Random) -> str:
    return " ".join(random.choice(_WORDS) for _ in range(random.randrange(1, 5)))


def _record(random: Random, names: tuple[str, ...]) -> dict[str, str]:
    values = {"id": _IDS, "date": _DATES, "journal": _JOURNALS, "issn": ("1234-5679", "12345679x")}
    return {
        name: random.choice(values[name]) if name in values else _title(random) for name in names
    }


_FIELDS = {
    "drugs": ("atccode", "drug", "synonyms"),
    "pubmed": ("id", "title", "date", "journal", "issn", "publication_types"),
    "clinical_trials": ("id", "scientific_title", "date", "journal", "brief_title", "status"),
}
_HEADERS = {"id": ("id", "PMID", "pubmed_id", "NCT Number"), "title": ("title", "Title ", "TITLE")}


#: Known tables: the name of a file, its separator, its header if it has one, and words that decide.
_KNOWN_TABLES: tuple[tuple[str, str, tuple[str, ...] | None, dict[int, tuple[str, ...]]], ...] = (
    ("RXNCONSO.RRF", "|", None, {1: ("ENG",), 11: ("RXNORM", "MMSL"), 12: ("IN", "BN", "SY")}),
    ("RXNREL.RRF", "|", None, {7: ("tradename_of", "isa"), 10: ("RXNORM",)}),
    ("CIS_bdpm.txt", "\t", None, {}),
    ("CIS_COMPO_bdpm.txt", "\t", None, {6: ("SA", "FT"), 7: ("1", "2")}),
    ("UNII_Names.txt", "\t", ("Name", "TYPE", "UNII", "PT"), {1: ("bn", "cd", "of")}),
    (
        "medicines-output-medicines.csv",
        ",",
        ("Category", "Name of medicine", "Active substance", "ATC code (human)"),
        {0: ("Human", "Veterinary")},
    ),
)


def make_known_table(random: Random) -> Landed:
    """A table of a vocabulary, as its owner delivers it."""
    name, separator, header, words = random.choice(_KNOWN_TABLES)
    table = sources.DRUGS.record_shape().known_file(name)
    width = len(table.columns if table else header or ())
    rows = [
        [random.choice(words[n]) if n in words else _title(random) for n in range(width)]
        for _ in range(random.randrange(1, 8))
    ]
    listed = [*([list(header)] if header else []), *rows]
    lines = [separator.join(" ".join(cell.splitlines()) for cell in row) for row in listed]
    end = random.choice(["\n", "\r\n", f"{separator}\n"])
    before = "A title\n\n" if header and random.random() < 0.3 else ""
    return name, _encode(random, before + "".join(line + end for line in lines))


def make_delimited(random: Random) -> Landed:
    """A table."""
    if random.random() < 0.3:
        return make_known_table(random)
    source = random.choice(sorted(_FIELDS))
    names = _FIELDS[source]
    separator = random.choice(",;\t|")
    end = random.choice(["\n", "\r\n", "\r"])

    def line(values: list[str]) -> str:
        written = []
        for value in values:
            if random.random() < 0.3 or separator in value or "\n" in value:
                escaped = value.replace('"', random.choice(['""', '\\"']))
                written.append(f'"{escaped}"')
            else:
                written.append(value)
        return separator.join(written) + end

    headers = [random.choice(_HEADERS.get(name, (name,))) for name in names]
    rows = [list(_record(random, names).values()) for _ in range(random.randrange(8))]
    text = line(headers) + "".join(map(line, rows))
    if random.random() < 0.1:
        text = f"sep={separator}{end}{text}"
    return f"{source}.{random.choice(['csv', 'tsv', 'txt'])}", _encode(random, text)


def make_json(random: Random) -> Landed:
    """Records in one of the layouts of JSON."""
    source = random.choice(sorted(_FIELDS))
    records: list[object] = []
    for _ in range(random.randrange(1, 7)):
        record: dict[str, object] = dict(_record(random, _FIELDS[source]))
        if random.random() < 0.3:
            odd = [None, 1, 1.5, float("nan"), [], ["x"], ["a", "b"], {"a": {"b": 1}}, True]
            record[random.choice([*record, "more"])] = random.choice(odd)
        if random.random() < 0.2:
            record = {"protocolSection": {"identificationModule": {"nctId": "NCT1", **record}}}
        records.append(record)
    indent = random.choice([None, None, 1])
    wrapped: object = records
    for key in random.sample(
        ["results", "data", "resultList", "studies", "items"], random.randrange(3)
    ):
        wrapped = {"count": len(records), key: wrapped}
    match random.randrange(4):
        case 0:
            text = "\n".join(json.dumps(record) for record in records)
        case 1:
            text = "".join(json.dumps(record, indent=1) for record in records)
        case _:
            text = json.dumps(wrapped, indent=indent, ensure_ascii=random.random() < 0.5)
    return f"{source}.{random.choice(['json', 'ndjson', 'jsonl'])}", _encode(random, text)


def _markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def make_pubmed_xml(random: Random) -> Landed:
    """Articles of PubMed."""
    articles = []
    for _ in range(random.randrange(6)):
        record = {
            name: _markup(value) for name, value in _record(random, _FIELDS["pubmed"]).items()
        }
        dated = random.choice(
            ["<Year>2020</Year><Month>Jan</Month>", "<MedlineDate>2020</MedlineDate>"]
        )
        articles.append(
            '<PubmedArticle><MedlineCitation Status="MEDLINE">'
            f'<PMID Version="1">{record["id"]}</PMID>'
            "<DateRevised><Year>2021</Year><Month>02</Month><Day>03</Day></DateRevised><Article>"
            f"<Journal><ISSN>{record['issn']}</ISSN><JournalIssue><PubDate>{dated}</PubDate>"
            f"</JournalIssue><Title>{record['journal']}</Title></Journal>"
            f"<ArticleTitle>{record['title']} <i>N</i></ArticleTitle><PublicationTypeList>"
            "<PublicationType>Journal Article</PublicationType></PublicationTypeList></Article>"
            "<MedlineJournalInfo><MedlineTA>J</MedlineTA><NlmUniqueID>99</NlmUniqueID>"
            "</MedlineJournalInfo><CommentsCorrectionsList><CommentsCorrections "
            'RefType="RetractionIn"><PMID>5</PMID></CommentsCorrections></CommentsCorrectionsList>'
            "</MedlineCitation></PubmedArticle>\n"
        )
    if random.random() < 0.3:
        articles.append("<DeleteCitation><PMID>1</PMID><PMID>2</PMID></DeleteCitation>")
    inner = "".join(articles)
    declared = '<?xml version="1.0" encoding="utf-8"?>\n'
    doctype = (
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://d.example/p">'
    )
    head = random.choice([declared + doctype, declared, ""])
    text = f"{head}<PubmedArticleSet>{inner}</PubmedArticleSet>\n"
    text *= random.choice([1, 1, 1, 2])
    # A file in another encoding than it declares is refused, so only a few are made.
    return "pubmed.xml", text.encode() if random.random() < 0.9 else _encode(random, text)


def make_mesh_xml(random: Random) -> Landed:
    """Descriptors or supplementary records of MeSH."""

    def terms() -> tuple[Term, ...]:
        tags = ("NON", "TRD", "LAB")
        return tuple(
            Term(_title(random), random.choice(tags), permuted=random.random() < 0.2)
            for _ in range(random.randrange(3))
        )

    numbers = ("0", "50-00-0", "12345ABCDE", "EC 1.1.1.1", "50-00-0 (aspirin)")
    ui = random.choice(["D99{:04}", "C99{:04}"])
    records = [
        Record(
            ui.format(n),
            _title(random),
            tuple(
                Concept(terms(), tuple(random.sample(numbers, 1)), tuple(random.sample(numbers, 1)))
                for _ in range(random.randrange(3))
            ),
            trees=random.choice([(), ("D02.1",), ("D08.1", "E05")]),
            scr_class=random.choice([None, "1", "2"]),
        )
        for n in range(random.randrange(6))
    ]
    data = to_mesh_xml(records, supplementary=ui.startswith("C"))
    return "drugs_mesh.xml", data * random.choice([1, 1, 1, 2])


def make_drugbank_xml(random: Random) -> Landed:
    """Drugs of DrugBank, with drugs in their pathways."""

    def titles() -> tuple[str, ...]:
        return tuple(_title(random) for _ in range(random.randrange(3)))

    listed = [
        Drug(
            f"DB9900{n}",
            _title(random),
            synonyms=titles(),
            products=titles(),
            mixtures=tuple((title, "aspirin + N") for title in titles()),
            salts=tuple((title, "12345ABCDE") for title in titles()),
            cas=random.choice(["", "50-00-0", "N"]),
            others=(("RxCUI", random.choice(_IDS)), ("ChEMBL", "CHEMBL9")),
            pathway=titles(),
        )
        for n in range(random.randrange(5))
    ]
    return "drugs_drugbank.xml", to_drugbank_xml(listed) * random.choice([1, 1, 1, 2])


def make_ictrp_xml(random: Random) -> Landed:
    """Trials as the WHO's ICTRP exports them."""
    trials = []
    for n in range(random.randrange(6)):
        record = _record(random, _FIELDS["clinical_trials"])
        elements = {
            "Internal_Number": str(n),
            "TrialID": record["id"],
            "Public_title": record["brief_title"],
            "Scientific_title": record["scientific_title"],
            "Date_registration": record["date"],
        }
        texts = [f"<{tag}>{escape(str(text))}\n</{tag}>" for tag, text in elements.items()]
        trials.append(
            f"<Trial>{''.join(random.sample(texts, random.randrange(6)))}<Acronym/></Trial>"
        )
    name = "Trials_downloaded_from_ICTRP"
    text = f"<?xml version='1.0' encoding='UTF-8' ?>\n<{name}>\n{''.join(trials)}</{name}>"
    return "clinical_trials.xml", text.encode() * random.choice([1, 1, 1, 2])


def make_medline(random: Random) -> Landed:
    """Records of PubMed as MEDLINE text."""
    lines = []
    for _ in range(random.randrange(1, 6)):
        record = _record(random, _FIELDS["pubmed"])
        tags = {"PMID": "id", "TI": "title", "DP": "date", "JT": "journal", "IS": "issn"}
        lines += [f"{tag:4}- {record[name]}" for tag, name in tags.items()]
        lines += ["      " + _title(random), "PT  - Journal Article", "OWN - NLM", ""]
    return f"pubmed.{random.choice(['nbib', 'txt'])}", _encode(random, "\n".join(lines))


def _encode(random: Random, text: str) -> bytes:
    encoding = random.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "cp1252"])
    return text.encode(encoding, "replace")


#: By name of a format, what makes a file of it.
MAKERS: Mapping[str, Callable[[Random], Landed]] = {
    "csv": make_delimited,
    "json": make_json,
    "pubmed_xml": make_pubmed_xml,
    "medline": make_medline,
    "mesh_xml": make_mesh_xml,
    "drugbank_xml": make_drugbank_xml,
    "ictrp_xml": make_ictrp_xml,
}

#: What damages XML of any kind.
_MARKUP_TOKENS = (
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#0;", b"&#x110000;", b"&x;", b"<", b">"),
    *(b'<?xml version="1.0"?>', b'<!DOCTYPE a [<!ENTITY x "y">]>', b"<a>", b"</a>", b"\x00"),
    *(b"\x0b", b"<ERROR>busy</ERROR>", b'xmlns:a="b"', b"\n\n"),
)

#: By name of a format, what is put into its files to damage them.
TOKENS: Mapping[str, tuple[bytes, ...]] = {
    "csv": (
        *(
            b'"',
            b'""',
            b"'",
            b",",
            b";",
            b"\t",
            b"|",
            b"\n",
            b"\r",
            b"\r\n",
            b'\\"',
            b"\\",
            b"sep=,\n",
        ),
        *(b'x","""\n', b'",', b',"', b"id,title,date,journal\n", b"\xef\xbb\xbf", b"\n\n\n"),
    ),
    "json": (
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b'"',
            b"\\",
            b":",
            b",",
            b"{}",
            b"[]",
            b"null",
            b"NaN",
            b"-Infinity",
        ),
        *(
            b"1e999",
            b"\\ud800",
            b"\\u0000",
            b'"id":',
            b'{"a":',
            b'"studies":[',
            b"\n",
            b'"title":"x"',
        ),
        *(b'{"error":"API rate limit exceeded"}', b"\xed\xa0\x80", b"0" * 400),
    ),
    "pubmed_xml": (
        *(b"<PubmedArticle>", b"</PubmedArticle>", b"<PubmedArticleSet>", b"</PubmedArticleSet>"),
        *(b"<PMID/>", b"<PubmedArticle/>", *_MARKUP_TOKENS),
    ),
    "mesh_xml": (
        *(b"<DescriptorRecord>", b"</DescriptorRecord>", b"<SupplementalRecord/>", b"<String>"),
        *(b"</String>", b"<DescriptorRecordSet>", b"</DescriptorRecordSet>", *_MARKUP_TOKENS),
    ),
    "drugbank_xml": (
        *(b"<drug>", b"</drug>", b"<drug ", b"<drugbank>", b"</drugbank>", b"<name>", b"</name>"),
        *(b'<drug type="x">', b"<mixtures>", b"<product>", *_MARKUP_TOKENS),
    ),
    "ictrp_xml": (
        *(b"<Trial>", b"</Trial>", b"<TrialID/>", b"<Trials_downloaded_from_ICTRP>"),
        *(b"</Trials_downloaded_from_ICTRP>", b"<Public_title>", *_MARKUP_TOKENS),
    ),
    "medline": (
        *(b"PMID- ", b"TI  - ", b"\n      ", b"\n\n", b"\n", b"- ", b"PMID-", b"DP  - ", b"\r\n"),
        *(b"XXXX- ", b"      ", b"PMID- 1\n", b"\x1a"),
    ),
}
