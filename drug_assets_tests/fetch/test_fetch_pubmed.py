"""PubMed: what is asked, the 9,999 that a search lists, withdrawn records, and NCBI's remarks."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.fetch import (
    FetchError,
    FetchReport,
    FetchRequest,
    ServiceRefused,
    ServiceUnavailable,
    fetch,
)
from drug_assets.fetch import pubmed as pubmed_module
from drug_assets_tests.support.loopback_services import (
    PATIENCE,
    Article,
    Fault,
    LocalDestination,
    PubMed,
    Reply,
    landed,
    landed_ids,
)
from drug_assets_tests.support.registry import PUBMED_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pubmed() -> Iterator[PubMed]:
    with PubMed(7) as service:
        yield service


def pull(pubmed: PubMed, folder: Path, **options: Any) -> FetchReport:
    options = {"query": "aspirin", "page_size": 2, **options}
    return fetch(
        FetchRequest(service=PUBMED_SERVICE, **options),
        LocalDestination(folder),
        email="data@example.org",
        base_url=pubmed.url,
        patience=PATIENCE,
        clock=pubmed.clock,
    )


def searches(pubmed: PubMed) -> list[dict[str, str]]:
    return [asked.fields for asked in pubmed.asked if asked.path == "/esearch.fcgi"]


def test_pages_are_landed_as_they_came_by_ascending_id(pubmed: PubMed, tmp_path: Path) -> None:
    report = pull(pubmed, tmp_path)
    assert [name.rpartition("_")[2] for name in report.files] == [
        f"000{n}.xml.gz" for n in (1, 2, 3, 4)
    ]
    assert all(name.startswith("pubmed_efetch_2026-03-10_aspirin-") for name in report.files)
    first = gzip.decompress(landed(tmp_path)[report.files[0]])
    assert first == pubmed.records("500,501").body
    assert [a.fields["id"] for a in pubmed.asked[1:]] == ["500,501", "502,503", "504,505", "506"]


def test_every_request_says_who_asks_and_is_posted(pubmed: PubMed, tmp_path: Path) -> None:
    pull(pubmed, tmp_path)
    assert len(pubmed.asked) == 5
    who = {"db": "pubmed", "tool": "drug_assets", "email": "data@example.org"}
    for asked in pubmed.asked:
        assert asked.method == "POST"
        assert "?" not in asked.target
        assert asked.fields.items() >= who.items()
        assert "api_key" not in asked.fields


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"since": dt.date(2026, 1, 1)}, ("edat", "2026/01/01", "3000/12/31")),
        ({"until": dt.date(2026, 1, 1)}, ("edat", "1700/01/01", "2026/01/01")),
        (
            {
                "since": dt.date(2020, 1, 1),
                "until": dt.date(2020, 1, 31),
                "date_type": "pdat",
            },
            ("pdat", "2020/01/01", "2020/01/31"),
        ),
    ],
)
def test_dates_are_asked_with_both_ends(
    pubmed: PubMed, tmp_path: Path, options: dict[str, Any], asked: tuple[str, str, str]
) -> None:
    pull(pubmed, tmp_path, **options)
    (search,) = searches(pubmed)
    assert (search["datetype"], search["mindate"], search["maxdate"]) == asked


def test_nothing_found_lands_no_file(pubmed: PubMed, tmp_path: Path) -> None:
    report = pull(pubmed, tmp_path, query="nothing")
    assert (report.files, report.records, report.requests) == ((), 0, 1)
    assert landed(tmp_path) == {}


def test_what_pubmed_did_not_understand_is_told(pubmed: PubMed, tmp_path: Path) -> None:
    report = pull(pubmed, tmp_path, query="aspirin[tittle]")
    assert report.warnings == ("not a field of PubMed: tittle",)


REMARKS = {
    "errorlist": {"phrasesnotfound": ["qqq", "zzz"], "fieldsnotfound": ["tittle"]},
    "warninglist": {
        "phrasesignored": ["the"],
        "quotedphrasesnotfound": ['"a b"'],
        "outputmessages": ["No items found."],
    },
}
TOLD_OF_REMARKS = (
    "not found by PubMed: qqq",
    "not found by PubMed: zzz",
    "not a field of PubMed: tittle",
    "ignored by PubMed: the",
    'not found by PubMed as a phrase: "a b"',
)


@pytest.mark.parametrize(
    ("remarks", "warnings"),
    [
        (REMARKS, TOLD_OF_REMARKS),
        ({"errorlist": REMARKS["errorlist"]}, TOLD_OF_REMARKS[:3]),
        ({"warninglist": REMARKS["warninglist"]}, TOLD_OF_REMARKS[3:]),
        ({"errorlist": None, "warninglist": {"phrasesignored": None}}, ()),
    ],
)
def test_every_remark_on_the_query_is_a_warning(
    pubmed: PubMed, tmp_path: Path, remarks: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    answer = json.loads(pubmed.search("aspirin").body)
    answer["esearchresult"] |= remarks
    pubmed.faults[1] = Fault(Reply(200, json.dumps(answer).encode()))
    assert pull(pubmed, tmp_path).warnings == warnings


def test_what_was_listed_is_kept_beside_the_record_of_the_pages(
    pubmed: PubMed, tmp_path: Path
) -> None:
    report = pull(pubmed, tmp_path, query="aspirin[tittle]")
    plan = json.loads((tmp_path / report.provenance).with_name("plan.json").read_bytes())
    assert plan == {
        "ids": [str(n) for n in range(500, 507)],
        "count": 7,
        "translation": "aspirin[tittle][All Fields]",
        "warnings": ["not a field of PubMed: tittle"],
    }


def test_ids_are_sorted_as_numbers(pubmed: PubMed, tmp_path: Path) -> None:
    day = dt.date(2020, 1, 1)
    pubmed.articles = [Article(pmid, day, day) for pmid in ("1000", "99", "5", "100")]
    pull(pubmed, tmp_path)
    assert [a.fields["id"] for a in pubmed.asked[1:]] == ["5,99", "100,1000"]


@pytest.mark.parametrize("key", ["ERROR", "error"])
def test_a_search_is_refused_under_either_key(pubmed: PubMed, tmp_path: Path, key: str) -> None:
    pubmed.faults[1] = Fault(Reply(200, json.dumps({key: "no <b>such</b> database"}).encode()))
    with pytest.raises(ServiceRefused, match="PubMed: search: it answered: no such database"):
        pull(pubmed, tmp_path)


@pytest.mark.parametrize("told", ["API rate limit exceeded", "Search Backend failed: x"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_refusal_that_passes_is_tried_again(
    pubmed: PubMed, tmp_path: Path, told: str, status: int
) -> None:
    pubmed.faults[1] = Fault(Reply(status, json.dumps({"error": told}).encode()))
    assert pull(pubmed, tmp_path).retries == 1


@pytest.mark.parametrize(
    "result",
    [
        {"count": "2", "idlist": ["500", "500"]},
        {"count": "1", "idlist": ["500", "501"]},
        {"count": "3", "idlist": ["500", "501"]},
        {"count": "many", "idlist": []},
        {"count": "1", "idlist": ["x"]},
        {"idlist": []},
        {"count": "0"},
        {"count": "0", "idlist": None},
        [],
        None,
    ],
)
def test_a_search_result_that_is_not_whole_is_asked_for_again(
    pubmed: PubMed, tmp_path: Path, result: object
) -> None:
    pubmed.faults[1] = Fault(Reply(200, json.dumps({"esearchresult": result}).encode()))
    report = pull(pubmed, tmp_path)
    assert (report.records, report.retries) == (7, 1)


def test_searches_by_date_name_their_range_in_messages(pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.faults[1] = Fault(Reply(404, b""))
    with pytest.raises(ServiceRefused, match="search of 2020/01/02 to 3000/12/31: it answered"):
        pull(pubmed, tmp_path, since=dt.date(2020, 1, 2))


def many(count: int, days: int) -> list[Article]:
    first = dt.date(2019, 12, 1)
    return [
        Article(str(10_000_000 + n), first + dt.timedelta(days=n % days), first)
        for n in range(count)
    ]


@pytest.mark.slow
def test_exactly_as_many_as_a_search_lists_take_one_search(tmp_path: Path) -> None:
    with PubMed() as pubmed:
        pubmed.articles = many(9_999, days=1)
        report = pull(pubmed, tmp_path, page_size=5000)
        assert len(searches(pubmed)) == 1
    assert (report.records, len(report.files)) == (9_999, 2)


@pytest.mark.slow
def test_more_than_a_search_lists_is_split_by_date(tmp_path: Path) -> None:
    with PubMed() as pubmed:
        pubmed.articles = many(20_500, days=40)
        report = pull(pubmed, tmp_path, page_size=5000)
        slices = searches(pubmed)[1:]
        assert {search["datetype"] for search in slices} == {"edat"}
        assert len(slices) < 40
        assert not any(" NOT " in search["term"] for search in slices)
        ids = landed_ids(tmp_path)
        assert ids == {article.pmid: 1 for article in pubmed.articles}
    assert (report.records, len(report.files)) == (20_500, 5)


@pytest.fixture
def listing_99(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PubMed whose searches list 99 ids at most, so that few records are split."""
    monkeypatch.setattr(pubmed_module, "LISTED", 99)
    monkeypatch.setattr(PubMed, "LISTED", 99)


@pytest.mark.usefixtures("listing_99")
def test_records_in_two_slices_or_in_none_come_once(tmp_path: Path) -> None:
    class TwiceDated(PubMed):
        """A publication has a printed and an electronic date, and is found by both."""

        def _search(self, fields: dict[str, str]) -> dict[str, Any]:
            result = super()._search(fields)
            if "mindate" in fields and int(result["count"]) <= self.LISTED:
                result["idlist"] = sorted({*result["idlist"], "10000000"})
                result["count"] = str(len(result["idlist"]))
            return result

    with TwiceDated() as pubmed:
        dated = many(100, days=9)
        undated = [Article(str(n), None, dt.date(2020, 1, 1)) for n in range(1, 4)]
        pubmed.articles = dated + undated
        report = pull(pubmed, tmp_path, page_size=50)
        assert landed_ids(tmp_path) == {article.pmid: 1 for article in pubmed.articles}
        assert " NOT 1700/01/01:3000/12/31[edat]" in searches(pubmed)[-1]["term"]
    assert report.records == 103


@pytest.mark.usefixtures("listing_99")
def test_a_day_with_more_than_a_search_lists_is_told(tmp_path: Path) -> None:
    with PubMed() as pubmed:
        pubmed.articles = many(100, days=1)
        with pytest.raises(FetchError, match=r"100 records of 2019-12-01 .* narrow the query"):
            pull(pubmed, tmp_path)
    assert landed(tmp_path) == {}


@pytest.mark.usefixtures("listing_99")
def test_slices_that_never_hold_what_was_counted_are_an_error(tmp_path: Path) -> None:
    class Overcounting(PubMed):
        def _search(self, fields: dict[str, str]) -> dict[str, Any]:
            result = super()._search(fields)
            if "mindate" not in fields and "NOT" not in fields["term"]:
                result["count"] = "101"
            return result

    with Overcounting() as pubmed:
        pubmed.articles = many(100, days=9)
        with pytest.raises(FetchError, match=r"counts 101 records, but lists 100 .* 3 times"):
            pull(pubmed, tmp_path)
        assert sum(" NOT " in search["term"] for search in searches(pubmed)) == 3


@pytest.mark.usefixtures("listing_99")
def test_records_without_a_date_are_not_looked_for_between_dates(tmp_path: Path) -> None:
    class Overcounting(PubMed):
        def _search(self, fields: dict[str, str]) -> dict[str, Any]:
            result = super()._search(fields)
            if result["count"] == "100":
                result["count"] = "101"
            return result

    with Overcounting() as pubmed:
        pubmed.articles = many(100, days=9)
        with pytest.raises(FetchError, match=r"counts 101 records, but lists 100 .* 3 times"):
            pull(pubmed, tmp_path, since=dt.date(2019, 1, 1))
        assert not any(" NOT " in search["term"] for search in searches(pubmed))
        assert {search["maxdate"] for search in searches(pubmed)} >= {"3000/12/31"}
        assert min(search["mindate"] for search in searches(pubmed)) == "2019/01/01"


@pytest.mark.usefixtures("listing_99")
def test_a_record_that_goes_while_the_slices_are_searched_is_no_error(tmp_path: Path) -> None:
    with PubMed() as pubmed:
        pubmed.articles = many(101, days=9)
        first = pubmed.search("aspirin")
        pubmed.faults[1] = Fault(first)
        pubmed.articles = pubmed.articles[:-1]
        assert pull(pubmed, tmp_path, page_size=50).records == 100


def test_a_search_that_lists_less_than_it_counts_is_asked_again(
    pubmed: PubMed, tmp_path: Path
) -> None:
    short = {"esearchresult": {"count": "7", "idlist": ["500", "501"]}}
    pubmed.faults[1] = Fault(Reply(200, json.dumps(short).encode()))
    report = pull(pubmed, tmp_path)
    assert (report.records, report.retries) == (7, 1)


def test_a_raw_control_character_in_a_search_result_is_read(pubmed: PubMed, tmp_path: Path) -> None:
    body = pubmed.search("aspirin").body.replace(b"[All Fields]", b"\x01")
    pubmed.faults[1] = Fault(Reply(200, body))
    assert pull(pubmed, tmp_path).retries == 0


def test_a_record_left_out_in_passing_is_asked_for_again(pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.withdrawn = {"503"}
    pubmed.faults[2] = Fault(pubmed.records("500,501,502,503,504,505,506"))
    pubmed.withdrawn = set()
    report = pull(pubmed, tmp_path, page_size=10)
    assert (report.records, report.retries, report.missing) == (7, 1, ())


def test_a_withdrawn_record_is_told_and_the_rest_lands(pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.withdrawn = {"503"}
    report = pull(pubmed, tmp_path)
    assert landed_ids(tmp_path) == {f"{n}": 1 for n in range(500, 507) if n != 503}
    assert (report.records, report.missing) == (6, ("503",))
    assert report.warnings == ("1 records were found but not given, most likely withdrawn: 503",)
    assert len([a for a in pubmed.asked if a.fields.get("id") == "502,503"]) == 3


@pytest.mark.parametrize(("withdrawn", "accepted"), [(1, True), (2, True), (3, False)])
def test_a_twentieth_of_a_page_may_be_withdrawn(
    tmp_path: Path, withdrawn: int, accepted: bool
) -> None:
    with PubMed(40) as pubmed:
        pubmed.withdrawn = {str(500 + n) for n in range(withdrawn)}
        if accepted:
            report = pull(pubmed, tmp_path, page_size=40)
            assert (report.records, report.retries) == (40 - withdrawn, 2)
        else:
            with pytest.raises(ServiceUnavailable, match="the answer lacks 3 of 40 records"):
                pull(pubmed, tmp_path, page_size=40)


@pytest.mark.parametrize("withdrawn", [20, 21])
def test_the_first_twenty_withdrawn_records_are_named(tmp_path: Path, withdrawn: int) -> None:
    with PubMed(420) as pubmed:
        pubmed.withdrawn = {str(500 + n) for n in range(withdrawn)}
        report = pull(pubmed, tmp_path, page_size=420)
    (warning,) = report.warnings
    named = ", ".join(str(500 + n) for n in range(20)) + (", …" if withdrawn > 20 else "")
    assert warning == (
        f"{withdrawn} records were found but not given, most likely withdrawn: {named}"
    )
    assert report.missing == tuple(str(500 + n) for n in range(withdrawn))


def test_a_page_whose_only_record_is_withdrawn_has_no_file(pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.withdrawn = {"506"}
    report = pull(pubmed, tmp_path)
    assert len(report.files) == 3
    assert pull(pubmed, tmp_path).requests == 0


def test_an_answer_that_lacks_many_records_is_a_fault(pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.withdrawn = {"500", "501"}
    with pytest.raises(ServiceUnavailable, match="the answer lacks 2 of 2 records"):
        pull(pubmed, tmp_path)
    assert landed(tmp_path) == {}


@pytest.mark.parametrize("ids", ["500,502", "500,500,501"])
def test_records_not_asked_for_are_a_fault(pubmed: PubMed, tmp_path: Path, ids: str) -> None:
    pubmed.faults[2] = Fault(pubmed.records(ids))
    report = pull(pubmed, tmp_path)
    assert (report.records, report.retries) == (7, 1)


def test_books_count_as_records(pubmed: PubMed, tmp_path: Path) -> None:
    body = (
        b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>500</PMID></MedlineCitation>"
        b"</PubmedArticle><PubmedBookArticle><BookDocument><PMID>501</PMID></BookDocument>"
        b"</PubmedBookArticle></PubmedArticleSet>"
    )
    pubmed.faults[2] = Fault(Reply(200, body))
    report = pull(pubmed, tmp_path)
    assert (report.records, report.retries) == (7, 0)


def test_pmids_of_comments_and_references_are_not_records(pubmed: PubMed, tmp_path: Path) -> None:
    cited = b"<CommentsCorrections><PMID>9</PMID></CommentsCorrections></MedlineCitation>"
    page = pubmed.records("500,501").body
    pubmed.faults[2] = Fault(Reply(200, page.replace(b"</MedlineCitation>", cited)))
    report = pull(pubmed, tmp_path)
    assert (report.records, report.retries) == (7, 0)
