"""Delimited text: every record becomes a row, with its read issues."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.formats import FormatError, delimited
from drug_assets.formats import raw_rows as batching
from drug_assets.formats.record_shape import Condition, KnownTable, Mark, TableValue
from drug_assets.terms import ReadIssue
from drug_assets_tests.support.frames import fields, issues, raw_rows
from drug_assets_tests.support.registry import CLINICAL_TRIALS, DRUGS, PUBMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

    from drug_assets.sources import Source

#: Any text, with the special characters of the format more often than by chance.
TEXTS = st.text(max_size=8) | st.text('",;|\t\r\n aé', max_size=8)


def _read(text: str, source: Source = PUBMED) -> pl.DataFrame:
    return raw_rows("f.csv", text.encode(), source)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_header_decides_the_separator(separator: str) -> None:
    rows = _read("id,title;date\n1,a;b\n".replace(";", separator).replace(",", separator))
    assert fields(rows, "id", "title", "date") == [("1", "a", "b")]


def test_separators_inside_headers_do_not_decide() -> None:
    rows = _read('"id";"title";"a, b, c"\n1;x, y;z\n')
    assert fields(rows, "id", "title") == [("1", "x, y")]
    assert rows["extra"].to_list() == ['{"a, b, c":"z"}']


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_lines_end_in_any_way_and_the_last_makes_no_row(end: str, last: str) -> None:
    rows = _read(end.join(["id,title", "1,a", "2,b"]) + (end if last else ""))
    assert fields(rows, "id", "title") == [("1", "a"), ("2", "b")]


def test_only_cr_and_lf_end_a_line() -> None:
    rows = _read("id,title\n1,a\u2028b\x0bc\x85d\x0c\x1ce\n")
    assert rows["title"].to_list() == ["a\u2028b\x0bc\x85d\x0c\x1ce"]


def test_headers_match_whatever_their_case_and_spacing() -> None:
    rows = _read("NCT ID,Scientific-Title\nN1,a\n", CLINICAL_TRIALS)
    assert fields(rows, "id", "scientific_title") == [("N1", "a")]


def test_fields_stay_exactly_as_they_stand() -> None:
    rows = _read('id,title,journal\n 1 ,"  a ""b""\r\n c\0 ",\n')
    assert fields(rows, "id", "title", "journal", "date") == [(" 1 ", '  a "b"\r\n c\0 ', "", None)]
    assert issues(rows) == [[]]


def test_a_quoted_record_of_several_lines_is_one() -> None:
    rows = _read('title\n"a\nb"\nc\n')
    assert fields(rows, "source_row", "title") == [(1, "a\nb"), (2, "c")]


def test_columns_without_a_field_go_to_extra() -> None:
    rows = _read("zebra,title,,apple,title,#3\n1,a,2,é,b,5\n")
    assert rows["extra"].to_list() == ['{"#3":"2","#3#6":"5","apple":"é","title":"b","zebra":"1"}']
    assert issues(rows) == [[]]


@pytest.mark.parametrize("blank", ["", " ", " \t "])
def test_a_column_with_a_blank_header_is_named_by_its_position(blank: str) -> None:
    rows = _read(f"id,{blank},title\n1,x,a\n")
    assert fields(rows, "id", "title", "extra") == [("1", "a", '{"#2":"x"}')]


def test_short_and_long_rows_are_flagged_and_kept() -> None:
    rows = _read("id,title,date\n1\n2,b,2020,d,e\n3,c\n")
    assert fields(rows, "id", "title", "date") == [
        ("1", None, None),
        ("2", "b", "2020"),
        ("3", "c", None),
    ]
    assert rows["extra"].to_list() == [None, '{"#4":"d","#5":"e"}', None]
    assert issues(rows) == [["short_row"], ["long_row"], ["short_row"]]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ("", None, None)),
        ("\t", ("\t", None, None)),
        ("  ", ("  ", None, None)),
        (",,", ("", "", "")),
        (" ,\t", (" ", "\t", None)),
        (",,,", ("", "", "")),
    ],
)
def test_a_blank_row_is_a_row(line: str, expected: tuple[str | None, ...]) -> None:
    rows = _read(f"id,title,date\n{line}\n1,a,b\n")
    assert fields(rows, "id", "title", "date") == [expected, ("1", "a", "b")]
    assert issues(rows) == [["blank_row"], []]


def test_lines_before_the_header_may_be_blank() -> None:
    assert fields(_read("\n \t\nid,title\n1,a\n"), "source_row", "id") == [(1, "1")]


@pytest.mark.parametrize(
    "header", ["id,title", "\ufeffid,title", " ID ,Title", '"id","title"', '\ufeff"id","title"']
)
def test_a_repeated_header_is_told(header: str) -> None:
    rows = _read(f"id,title\n1,a\n{header}\n2,b\n")
    assert rows["source_row"].to_list() == [1, 2, 3]
    assert issues(rows) == [[], ["repeated_header"], []]
    assert rows["title"].to_list()[::2] == ["a", "b"]


@pytest.mark.parametrize("line", ["id,a", "id,title of one", "id"])
def test_a_row_that_is_like_a_header_is_data(line: str) -> None:
    rows = _read(f"id,title\n1,a\n{line}\n2,b\n")
    assert "repeated_header" not in issues(rows)[1]


def test_a_header_with_its_columns_in_another_order_refuses_the_file() -> None:
    with pytest.raises(FormatError, match="record 2 is another header"):
        _read("id,title\n1,a\nTitle,ID\nb,2\n")


@pytest.mark.parametrize("rows", ["1,7,a b\n2,8,c\n", "3,7,a b\n\n12,,c\n", '"1","7","a b"\n'])
def test_row_names_without_a_header_are_a_column(rows: str) -> None:
    read = _read("id,title\n" + rows)
    assert read["title"][0] == "a b"
    assert read["id"][0] == "7"
    assert all(row in ([], ["blank_row"]) for row in issues(read))


@pytest.mark.parametrize("rows", ["1,a,b\n2,c\n", "1,a,b\n", "2,7,a\n1,8,b\n", "1,7,\n2,8,\n"])
def test_other_rows_with_one_value_more_have_no_names(rows: str) -> None:
    assert _read("id,title\n" + rows)["id"][0] in ("1", "2")


@pytest.mark.parametrize(
    "line",
    [
        '{"error":"API rate limit exceeded","api-key":"198.51.100.1"}',
        '{"status":"error","message":"API rate limit exceeded"}',
        "<Result><ERROR>API rate limit exceeded for 198.51.100.1</ERROR></Result>",
    ],
)
def test_an_error_of_a_service_among_rows_refuses_the_file(line: str) -> None:
    with pytest.raises(FormatError, match=r"record 2 is an error .* rate limit") as refused:
        _read(f"id,title\n1,a\n{line}\n2,b\n")
    assert "198.51" not in str(refused.value)


def test_what_is_no_header_is_shown_without_secrets() -> None:
    with pytest.raises(
        FormatError, match=r"no comma, semicolon, tab or bar.*Invalid key"
    ) as refused:
        _read("Invalid key 0123456789abcdef\n")
    assert "0123456789" not in str(refused.value)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;;;", "\n sep=; "])
def test_a_line_that_names_the_separator_is_no_header(line: str) -> None:
    rows = _read(f"{line}\r\nid;title;a,b,c\r\n1;x;y\r\n")
    assert fields(rows, "source_row", "id", "title") == [(1, "1", "x")]


def test_a_separator_that_is_named_may_be_any_sign_but_must_be_there() -> None:
    assert fields(_read("sep=^\nid^title\n1^x\n"), "id", "title") == [("1", "x")]
    assert fields(_read("sep=\t\nid\ttitle\n1\tx\n"), "id", "title") == [("1", "x")]
    assert fields(_read("sep=;\nid,title\n1,x\n"), "id", "title") == [("1", "x")]
    assert _read("sep=;\n").height == 0


def test_what_surrounds_headers_does_not_matter() -> None:
    rows = _read('\u200bid ;"Title ";“journal”\n1;x;y\n')
    assert fields(rows, "id", "title", "journal") == [("1", "x", "y")]
    rows = _read('ï»¿"PMID","Title"\n1,x\n')
    assert fields(rows, "id", "title") == [("1", "x")]
    rows = _read(";;\nid;title\n1;x\n")
    assert fields(rows, "id", "title") == [("1", "x")]


def test_of_several_columns_of_a_field_the_first_that_holds_something_counts() -> None:
    rows = _read("id,PMID,title\n7,90,a\n8,NA,c\n,-,d\n9\n")
    assert fields(rows, "id", "extra") == [
        ("90", '{"id":"7"}'),
        ("8", '{"PMID":"NA"}'),
        ("-", '{"id":""}'),
        ("9", None),
    ]


def test_a_date_can_be_given_in_parts() -> None:
    shape = replace(PUBMED.record_shape(), parts={"date": ("year", "month", "day")})
    text = b"id,title,year,month,day\n1,a,2020,01,05\n2,b,2020,Jan,\n3,c,2021,NA,7\n4,d,,3,\n5,e\n"
    (rows,) = delimited.read_batches(shape, "f.csv", [text])
    assert fields(rows, "date", "extra") == [
        ("2020-01-05", None),
        ("2020-Jan", None),
        ("2021", '{"day":"7","month":"NA"}'),
        (None, '{"month":"3"}'),
        (None, None),
    ]


def test_an_unclosed_quote_swallows_nothing() -> None:
    rows = _read('id,title\n1,"a\n2,b\n3,"c"\n')
    assert fields(rows, "id", "title") == [("1", '"a'), ("2", "b"), ("3", "c")]
    assert issues(rows) == [["unclosed_quote"], [], []]


def test_an_unclosed_quote_at_the_end_swallows_nothing() -> None:
    rows = _read('id,title,date\n1,"a,b\n2,b\n3,c,d')
    assert fields(rows, "id", "title", "date") == [
        ("1", '"a', "b"),
        ("2", "b", None),
        ("3", "c", "d"),
    ]
    assert issues(rows) == [["unclosed_quote"], ["short_row"], []]


def test_an_unclosed_quote_leaves_the_other_columns_in_place() -> None:
    rows = _read('id,title,date,journal\n1,"a,2020,"J, of"\n2,b,2021,K\n')
    assert fields(rows, "title", "date", "journal") == [('"a', "2020", "J, of"), ("b", "2021", "K")]
    assert issues(rows) == [["unclosed_quote"], []]


def test_quotes_that_should_be_doubled_are_text() -> None:
    rows = _read('id,title,journal\n1,"He said "no, never" twice, ""so""",J\n2,"b",K\n')
    assert rows["title"].to_list() == ['He said "no, never" twice, "so"', "b"]
    assert issues(rows) == [["stray_quote"], []]


@pytest.mark.parametrize(
    ("line", "expected", "issue"),
    [
        ('"","x', ("", '"x', None), ["short_row", "unclosed_quote"]),
        ('"","x,', ("", '"x', ""), ["unclosed_quote"]),
        ('"x,"",y', ('"x', "", "y"), ["unclosed_quote"]),
        ('"x,"y",""', ('"x', "y", ""), ["unclosed_quote"]),
        ('"","a "b" c",""', ("", 'a "b" c', ""), ["stray_quote"]),
        ('"a""b","c "d" e",f', ('a"b', 'c "d" e', "f"), ["stray_quote"]),
        ('1,"a "b" c"', ("1", '"a "b" c"', None), ["short_row", "unclosed_quote"]),
        ('1,"a "b" c",2020,e', ("1", '"a "b" c"', "2020"), ["long_row", "unclosed_quote"]),
    ],
)
def test_the_sound_fields_of_a_damaged_line_are_read_as_elsewhere(
    line: str, expected: tuple[str | None, ...], issue: list[str]
) -> None:
    rows = _read(f"id,title,date\n{line}\n2,b,c\n")
    assert fields(rows, "id", "title", "date") == [expected, ("2", "b", "c")]
    assert issues(rows) == [issue, []]


def test_an_unclosed_quote_gives_up_after_the_longest_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delimited, "MAX_RECORD_CHARS", 100_000)
    lines = "".join(f"{i},b\n" for i in range(100_000))
    rows = _read('id,title\nx,"a\n' + lines)
    assert rows.height == 100_001
    assert rows.filter(rows["read_issues"].list.len() > 0)["id"].to_list() == ["x"]


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_RECORD_CHARS", 100_000)
    with pytest.raises(FormatError, match=r"f.csv: line 3 is longer than 100000 characters"):
        _read("id,title\n1,a\n2," + "b" * 400_000)


def test_a_long_field_is_read_and_the_limit_of_the_process_stays() -> None:
    before = csv.field_size_limit()
    title = "ab" * 100_000
    assert _read(f'id,title\n1,{title}\n2,"{title}"\n')["title"].to_list() == [title, title]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("text", "source", "found"),
    [
        ("foo,bar\n1,2\n", PUBMED, "'foo', 'bar'"),
        ("id,date\n1,2\n", PUBMED, "'id', 'date'"),
        ("foo;bar\n", PUBMED, "'foo', 'bar'"),
        ("atccode\nA04\n", DRUGS, "'atccode'"),
    ],
)
def test_a_file_without_the_required_column_is_refused(
    text: str, source: Source, found: str
) -> None:
    with pytest.raises(
        FormatError, match=f"f.csv: no column '{source.required[0]}'.*{found}.*expected"
    ):
        _read(text, source)


def test_a_header_alone_has_no_rows() -> None:
    assert _read("id,title\n").height == 0


def test_batches_are_bounded_and_counted_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_RECORDS", 1000)
    text = "id,title\n" + "".join(f"{i},title number {i}\n" for i in range(20_000))
    assert _read(text)["id"].to_list() == [str(i) for i in range(20_000)]
    heights = _heights(text, 16_000)
    assert sum(heights) == 20_000
    assert max(heights) < 2_000


def _heights(text: str, chunk: int) -> list[int]:
    data = text.encode()
    chunks = (data[start : start + chunk] for start in range(0, len(data), chunk))
    shape = PUBMED.record_shape()
    return [each.height for each in delimited.read_batches(shape, "f.csv", chunks)]


def test_a_batch_ends_with_the_lines_that_fill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_RECORDS", 6)
    text = "id,title\n" + "1,abcde\n" * 20
    assert _heights(text, 8) == [6, 6, 6, 2]
    heights = _heights(text, 32)
    assert sum(heights) == 20
    assert all(6 <= height < 6 + 32 // 8 for height in heights)


def test_batches_of_long_lines_are_bounded_by_their_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "BATCH_CHARS", 1000)
    lines = ["1," + "x" * 247] * 9
    assert _heights("\n".join(["id,title", *lines, ""]), 250) == [4, 4, 1]


def test_a_file_of_usual_size_is_one_batch() -> None:
    assert _heights("id,title\n" + "1,a\n" * 3000, 1000) == [3000]
    assert _heights("id,title\n", 1000) == [0]
    assert _heights("", 1000) == [0]


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8),
    st.sampled_from(",;\t|"),
    # Python 3.11 does not quote a lone CR if lines end in LF; a reader takes it for a line end.
    st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),
    st.integers(1, 50),
)
def test_what_csv_writes_is_read(
    table: list[tuple[str, str, str]],
    separator: str,
    dialect: tuple[str, Literal[0, 1]],
    chunk: int,
) -> None:
    end, quoting = dialect
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([("id", "title", "note"), *table])
    data = written.getvalue().encode("utf-8", "surrogatepass")
    chunks = [data[i : i + chunk] for i in range(0, len(data), chunk)]
    batches = list(delimited.read_batches(PUBMED.record_shape(), "f.csv", chunks))
    rows = [row for batch in batches for row in batch.select("id", "title", "extra").rows()]
    found = [(a, b, json.loads(extra)["note"]) for a, b, extra in rows]
    assert found == table


DAMAGED = (
    b'\n \r\nid,"title",note,\xe9\r\n1,"a\r\nb ""c""",x\r2,"d\n3,"e "f" g",y,z\r\n\r\n'
    b'"","",h\n4,"\xe9",\xc3\xa9\n5,\xe2\x82\xac\n"6,"i",j\n7,"unclosed\n8,k'
)


def test_a_file_may_be_cut_into_blocks_at_any_place() -> None:
    shape = PUBMED.record_shape()

    def read(*blocks: bytes) -> pl.DataFrame:
        (rows,) = delimited.read_batches(shape, "f.csv", blocks)
        return rows

    whole = read(DAMAGED)
    assert whole["id"].to_list() == ["1", "2", "3", "", "", "4", "5", '"6', "7", "8"]
    for cut in range(1, len(DAMAGED)):
        assert read(DAMAGED[:cut], DAMAGED[cut:]).equals(whole), cut
    assert read(*(DAMAGED[place : place + 1] for place in range(len(DAMAGED)))).equals(whole)


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        ("id,title,a;b;c;d", "1,x,y", ("1", "x")),
        ("ID;Title;Journal,Date", "1;x;y", ("1", "x")),
        ("id|title|a;b;c;d", "1|y|z", ("1", "y")),
        ('"id"\t"title"', "1\tx", ("1", "x")),
        ("title", "a,b", (None, "a,b")),
    ],
)
def test_the_separator_is_the_one_that_yields_most_fields(
    header: str, line: str, expected: tuple[str | None, ...]
) -> None:
    assert fields(_read(f"{header}\n{line}\n"), "id", "title") == [expected]


@pytest.mark.slow
@settings(max_examples=100)
@given(st.text('",\nab \r', max_size=60))
def test_no_damage_loses_text(damage: str) -> None:
    rows = _read("id,title\n" + damage)
    texts = [*rows["id"], *rows["title"]]
    texts += ["".join(json.loads(extra).values()) for extra in rows["extra"] if extra]
    kept = "".join(text or "" for text in texts)
    assert kept.count("a") + kept.count("b") == damage.count("a") + damage.count("b")


#: Lines that a reader could be made to read again and again.
HOSTILE = {
    "quotes that open anew in each line": 'x","""\n',
    "unclosed": '1,"a\n',
    "quotes everywhere": '"""""",",""\n',
    "a quote within a quote": '1,"a"b",2020,J\n',
    "backslashes": '1,"a \\\\"b\\" \\",2020,J\n',
    "closed and opened": '1,",\n",2\n',
    "many ways to join": "1," + "2020," * 20 + "J\n",
    "blanks": "1," + " a," * 40 + "2020,J\n",
    "alternating": '1,"\n2,"\n3,"",a"\n',
}


@pytest.mark.slow
@pytest.mark.parametrize("pattern", HOSTILE)
def test_the_work_grows_with_the_file_alone(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the characters that are looked at, not the time that it takes."""
    looked_at = 0

    def count(lines: Iterable[str]) -> Iterator[str]:
        nonlocal looked_at
        for line in lines:
            looked_at += len(line)
            yield line

    make_reader = delimited._Dialect.make_reader
    monkeypatch.setattr(
        delimited._Dialect, "make_reader", lambda self, lines: make_reader(self, count(lines))
    )
    work = []
    for scale in (400, 800, 1600):
        looked_at = 0
        text = "id,title,date,journal\n" + HOSTILE[pattern] * scale
        assert _read(text).height > 1
        work.append(looked_at / len(text))
    assert work[-1] < 8
    assert work[-1] < work[0] * 1.5


def test_a_huge_line_changes_no_other() -> None:
    for line in ('"a' * 50_000, '"",' * 50_000, '"a,""b' * 50_000, "a," * 200_000):
        rows = _read(f"id,title\n1,b\n{line}\n2,c\n")
        assert rows["id"].to_list()[::2] == ["1", "2"]


def _write(*rows: Sequence[str], separator: str = ",") -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator).writerows(rows)
    return written.getvalue()


def _read_rows(text: str) -> list[tuple[object, ...]]:
    data = text.encode("utf-8", "surrogatepass")
    (rows,) = delimited.read_batches(PUBMED.record_shape(), "f.csv", [data])
    return rows.drop("source_row", "source_file").rows()


@pytest.mark.slow
@settings(max_examples=100)
@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=5),
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=5),
    st.text('"",;ab 2020-\\x', max_size=30) | TEXTS,
)
def test_a_line_of_rubbish_changes_no_other_line(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]], rubbish: str
) -> None:
    rubbish = "x" + rubbish.replace("\n", "").replace("\r", "")
    header = ("id", "title", "date")
    lines = _write(header, *before) + rubbish + "\r\n" + _write(*after)
    rows = _read_rows(lines)
    sound = _read_rows(_write(header, *before, *after))
    assert rows[: len(before)] == sound[: len(before)]
    assert rows[len(rows) - len(after) :] == sound[len(before) :]


@pytest.mark.parametrize(
    ("rubbish", "after"),
    [
        ('x,"open', '8,"a",y'),
        ('x,"open', '8,",a",y'),
        ('x,"open', '8,"\r\nb",y'),
        ('x,"open,2020', '8,"",y'),
        ('x,"a \\"b', '8,"c\\",2020'),
    ],
)
def test_an_open_quote_takes_no_sound_record_in(rubbish: str, after: str) -> None:
    alone = _read(f"id,title,date\n{after}\n9,c,2021\n")
    rows = _read(f"id,title,date\n{rubbish}\n{after}\n9,c,2021\n")
    assert fields(rows, "id", "title", "date")[1:] == fields(alone, "id", "title", "date")


def test_quotes_can_be_single_or_stand_behind_blanks() -> None:
    rows = _read("'id','title'\n'1','a, \"b\"'\n'2','c''d'\n")
    assert fields(rows, "id", "title") == [("1", 'a, "b"'), ("2", "c'd")]
    rows = _read('"id", "title"\n1, "a, b"\n2, "c"\n')
    assert fields(rows, "id", "title") == [("1", "a, b"), ("2", "c")]


def test_a_header_with_a_quote_that_does_not_end_is_refused_by_name() -> None:
    with pytest.raises(FormatError, match=r"^pubmed\.csv: no column 'title' in the header"):
        raw_rows("pubmed.csv", b'"!')


def _part_table(*columns: str, values: tuple[TableValue, ...] = ()) -> KnownTable:
    return KnownTable(
        columns, (TableValue("id", "report"), *values), (Mark(ReadIssue.PART_OF_RECORD),)
    )


PARTS = (
    _part_table(
        *("number", "report", "value", "kind"),
        values=(
            TableValue("reference_pmids", "value", (Condition("kind", ("all", "good")),)),
            TableValue("result_pmids", "value", (Condition("kind", ("good",)),)),
        ),
    ),
    _part_table("number", "report", "title"),
    _part_table("number", "word"),
)


def _read_parts(text: str) -> pl.DataFrame:
    shape = replace(CLINICAL_TRIALS.record_shape(), known_tables=PARTS)
    return pl.concat(delimited.read_batches(shape, "f.txt", [text.encode()]))


def test_a_part_table_gives_fields_by_what_another_column_says() -> None:
    rows = _read_parts("number|Report|value|kind|status\n1|A|5|ALL|x\n2|B|6| good |\n3|C|7|bad|\n")
    assert fields(rows, "id", "reference_pmids", "result_pmids", "status") == [
        ("A", "5", None, None),
        ("B", "6", "6", None),
        ("C", None, None, None),
    ]
    assert issues(rows) == [["part_of_record"]] * 3
    assert [json.loads(extra) for extra in rows["extra"]] == [
        {"number": "1", "kind": "ALL", "status": "x"},
        {"number": "2", "kind": " good ", "status": ""},
        {"number": "3", "kind": "bad", "status": "", "value": "7"},
    ]


def test_a_title_of_a_part_table_is_not_that_of_the_record() -> None:
    rows = _read_parts("number|report|title\n1|A|b\nnumber|Report|TITLE\n2|\n")
    assert fields(rows, "id", "scientific_title") == [("A", None), ("Report", None), ("", None)]
    assert issues(rows) == [
        ["part_of_record"],
        ["part_of_record", "repeated_header"],
        ["part_of_record", "short_row"],
    ]


def test_a_part_table_need_not_name_a_record() -> None:
    rows = _read_parts("number|word\n1|b\n")
    assert fields(rows, "id", "extra") == [(None, '{"number":"1","word":"b"}')]


def test_a_file_with_a_title_of_records_is_no_part_table() -> None:
    rows = _read_parts("number|report|value|kind|brief title\n1|A|5|all|b\n")
    assert fields(rows, "brief_title", "reference_pmids") == [("b", None)]
    assert issues(rows) == [[]]


def test_a_file_without_title_that_is_no_part_table_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^f\.txt: no column 'scientific_title'"):
        _read_parts("number|report|value\n1|A|5\n")


def test_a_header_of_many_columns_is_known_when_it_is_repeated() -> None:
    header = ",".join(["id", "Title", *(f"a column with a long name {n}" for n in range(300))])
    rows = _read(f"{header}\n1,b\n{header.upper()}\n")
    assert issues(rows) == [["short_row"], ["repeated_header"]]


def _read_in_chunks(data: bytes, chunk_bytes: int) -> pl.DataFrame:
    chunks = [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)]
    return pl.concat(delimited.read_batches(PUBMED.record_shape(), "pubmed.csv", chunks))


@pytest.mark.parametrize("chunk_bytes", [1, 20, 40])
@pytest.mark.parametrize(
    "text",
    [
        "title,date,journal\n1,Aspirin,2020,Pain\nx,Ibuprofen,2021\n",
        # Whether the second line goes on with the first shows only on the third.
        'id,title,date,journal\n1,"a\n2,b"",""c\nd"",2020,J\n3,e,2021,K\n',
        'id,title\n1,"a\n2,"",b\n"\n3,c\n',
    ],
)
def test_records_are_the_same_whatever_the_chunks(text: str, chunk_bytes: int) -> None:
    data = text.encode()
    assert _read_in_chunks(data, chunk_bytes).equals(_read_in_chunks(data, len(data)))


@pytest.mark.slow
@settings(max_examples=100)
@given(st.lists(st.text('",\n\\1', max_size=12), max_size=6), st.integers(1, 9))
def test_damaged_records_are_the_same_whatever_the_chunks(lines: list[str], size: int) -> None:
    data = "\n".join(["id,title", *lines]).encode()
    assert _read_in_chunks(data, size).equals(_read_in_chunks(data, len(data)))


def test_what_short_rows_lack_takes_no_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_RECORDS", 100)
    header = "id,title" + "," * 50
    assert max(_heights(header + "\n" * 50, 1000)) == 2
    assert _heights(f"{header}\n" + f"1,a{',' * 50}\n" * 90, 100_000) == [90]


@pytest.mark.parametrize("row", ["", "1,a", '"a', "{}"])
def test_short_rows_under_too_many_columns_are_refused(
    monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    monkeypatch.setattr(delimited, "FREE_MISSING", 1000)
    header = "id,title" + ",c" * 50
    whole = f"1,a{',' * 50}\n"
    enough = 2 + 52 * 10 // 50
    assert _read(f"{header}\n{whole}" + f"{row}\n" * enough).height == 1 + enough
    with pytest.raises(
        FormatError, match=r"f.csv: the first \d+ records lack \d+ values: the head"
    ):
        _read(f"{header}\n{whole}" + f"{row}\n" * 200)


def test_long_rows_lack_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "FREE_MISSING", 10)
    rows = _read("id,title,date,journal,publisher\n" + "1,a,b,c,d,e,f\n" * 90)
    assert issues(rows) == [["misaligned_row"]] * 90


def test_of_the_name_of_a_column_the_beginning_is_kept() -> None:
    long = "a" * 100
    rows = _read(f"title,{long}b,{long}c\n1,2,3\n")
    assert rows["extra"].to_list() == [
        json.dumps({long: "2", f"{long}#3": "3"}, separators=(",", ":"))
    ]


def test_a_header_whose_blank_columns_are_left_out_is_known_when_it_is_repeated() -> None:
    assert issues(_read("id,title,,\nid,title\ntitle\n")) == [
        ["repeated_header", "short_row"],
        ["short_row"],
    ]
