"""Titles with marked spans are read, or refused with file, line and remedy."""

from __future__ import annotations

import gzip
import json

import pytest

from drug_assets.accuracy.gold import Gold, GoldError, read_gold
from drug_assets.formats import FormatError

PUBTATOR = """\
12|t|Aspirin and β-blockers in headache
12|a|We gave caffeine.
12\t0\t7\tAspirin\tChemical\tD001241
12\t12\t22\tβ-blockers\tDrug\t-
12\t26\t34\theadache\tDisease\tD006261
12\t43\t51\tcaffeine\tChemical\tD002110
12\tCID\tD001241\tD006261

13|t|Nothing
13|a|
"""


def read(text: str, *types: str) -> Gold:
    return read_gold(text.encode(), "gold.txt", types)


def test_json_lines() -> None:
    lines = [
        json.dumps({"title": "Aspirin, gold", "spans": [[0, 7], [9, 13]], "corpus": "ours"}),
        "",
        json.dumps({"title": "On\u2028zinc", "spans": [{"start": 3, "end": 7, "text": "zinc"}]}),
        json.dumps({"title": "Nothing", "spans": []}),
    ]
    gold = read("\ufeff" + "\r\n".join(lines))
    assert gold.titles == ["Aspirin, gold", "On\u2028zinc", "Nothing"]
    assert gold.spans == [{(0, 7), (9, 13)}, {(3, 7)}, set()]
    assert (len(gold), gold.count_spans()) == (3, 3)


def test_a_line_ends_where_json_says_so() -> None:
    line = json.dumps({"title": "On\u2028zinc", "spans": [[3, 7]]}, ensure_ascii=False)
    assert read(line).titles == ["On\u2028zinc"]


def test_of_pubtator_chemicals_and_drugs_in_titles_count() -> None:
    gold = read(PUBTATOR)
    assert gold.titles == ["Aspirin and β-blockers in headache", "Nothing"]
    assert gold.spans == [{(0, 7), (12, 22)}, set()]


def test_a_packed_file_is_unpacked() -> None:
    packed = gzip.compress(PUBTATOR.encode())
    assert read_gold(packed, "gold.txt.gz") == read(PUBTATOR)
    with pytest.raises(FormatError, match=r"gold\.txt\.gz"):
        read_gold(packed[:-4], "gold.txt.gz")


def test_the_types_that_count_can_be_named() -> None:
    assert read(PUBTATOR, "disease").spans == [{(26, 34)}, set()]
    with pytest.raises(GoldError, match=r"marks no gene in a title, but Chemical, Drug, Disease"):
        read(PUBTATOR, "gene")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no title"),
        ("Aspirin", "line 1 is no title with spans"),
        ('\n{"title": "a"}', "line 2 is no title with spans (KeyError: 'spans')"),
        ('{"title": 1, "spans": []}', "the title is no text"),
        ('{"title": "a", "spans": [[0]]}', "line 1 is no title with spans"),
        ('{"title": "a", "spans": [["0", "1"]]}', "start and end are not whole numbers"),
        ('{"title": "a", "spans": [[0, 1.0]]}', "start and end are not whole numbers"),
        ('{"title": "a", "spans": [[true, true]]}', "start and end are not whole numbers"),
        ("[" * 100_000, "line 1 is no title with spans"),
        ('{"title": "a", "spans": [[0, 2]]}', "line 1 has the span 0–2 outside its title of 1"),
        ('{"title": "a", "spans": [[1, 1]]}', "line 1 has the span 1–1 outside"),
        ('{"title": "a", "spans": []}', "marks no span in any title"),
        ("1|t|a\n1|t|b", "line 2 is a second title of 1"),
        ("1|t|a\nnothing", "line 2 is no line of PubTator"),
        ("1|t|a\n2\t0\t1\ta\tDrug\t-", "line 2 annotates a title that is not above it"),
        ("1|t|a\n1\t0\tx\ta\tDrug\t-", "line 2 has '0' and 'x' as start and end"),
        ("1|t|ab\n1\t0\t1\tb\tDrug\t-", "line 2 marks 'b', but its title has 'a' there"),
        ("1|t|ab\n1\t0\t3\tab \tDrug\t-", "line 2 has the span 0–3 outside"),
        ("1|t|ab\n1\t0\t1\ta\tGene\t-", "marks no chemical or drug in a title, but Gene"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str) -> None:
    with pytest.raises(GoldError) as raised:
        read(text)
    assert str(raised.value).startswith("gold.txt")
    assert told in str(raised.value)


def test_a_file_that_is_not_utf_8_is_told_by_line() -> None:
    with pytest.raises(GoldError, match="line 2 is not UTF-8"):
        read_gold(b"1|t|a\n1|a|\xff", "gold.txt")
