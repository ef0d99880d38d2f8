"""What is served over HTTP: answers as the command line gives them, files, headers, errors."""

from __future__ import annotations

import gzip
import shutil
import threading
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from drug_assets.serving import app
from drug_assets.serving.current import Answers
from drug_assets.serving.questions import LISTED, MOST_CHARACTERS, MOST_LISTED, QUESTIONS
from drug_assets.storage.objects import LocalFolder, StorageError
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import as_object
from drug_assets_tests.support.serving import Clock, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx import Client, Response

pytestmark = pytest.mark.xdist_group("runs")


@pytest.fixture(scope="module")
def client(sample_run: runs.Run) -> Iterator[Client]:
    with client_of(sample_run.store) as opened:
        yield opened


def answer(client: Client, question: str, **parameters: str) -> Any:
    response = client.get(f"/api/{question}", params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def on_command_line(store: Path, *arguments: str) -> Any:
    return as_object(*arguments, "--store", store)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "parameters", "command"),
    [
        ("mentions", {"drug": "digoxine"}, ["digoxine"]),
        (
            "mentions",
            {"drug": "aspirin", "since": "2010", "until": "2020-06", "source": "pubmed"},
            ["aspirin", "--since", "2010", "--until", "2020-06", "--source", "pubmed"],
        ),
        ("drugs", {"sort": "name"}, ["--sort", "name"]),
        ("journals", {}, []),
        ("names", {"drug": "aspirin"}, ["aspirin"]),
        ("rejected", {"file": "pubmed.csv"}, ["--file", "pubmed.csv"]),
        ("top-journal", {}, []),
        ("top-journal", {"class": "n02"}, ["--class", "n02"]),
        ("top-journal", {"exclude_retracted": "true"}, ["--exclude-retracted"]),
        ("top-journal", {"with_trial_results": "true"}, ["--with-trial-results"]),
        ("top-journal", {"since": "2015"}, ["--since", "2015"]),
    ],
)
def test_answers_are_those_of_the_command_line(
    client: Client,
    sample_run: runs.Run,
    question: str,
    parameters: dict[str, str],
    command: list[str],
) -> None:
    served = answer(client, question, **parameters)
    assert served == on_command_line(sample_run.store, question, *command)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"exclude_trial_journals": "true"}, {"sort": "lift"}])
def test_related_drugs_are_those_of_the_command_line(
    client: Client, sample_run: runs.Run, options: dict[str, str]
) -> None:
    flags = {"exclude_trial_journals": ["--exclude-trial-journals"], "sort": ["--sort", "lift"]}
    command = [flag for option in options for flag in flags[option]]
    expected = on_command_line(sample_run.store, "related-drugs", "caffeine", *command)
    served = answer(client, "related-drugs", drug="caffeine", **options)
    assert served.pop("total") == len(expected["related"]) > 3
    for drug in served["related"]:
        assert drug.pop("journal_count") == len(drug["journals"])
    assert served == expected


def test_a_mention_is_traced_to_its_rows(client: Client, sample_run: runs.Run) -> None:
    mention = sample_run.table("mentions").row(0, named=True)
    traced = answer(
        client,
        "trace",
        drug=mention["drug"],
        source=mention["source"],
        id=mention["publication_id"],
    )
    assert traced["title"] == mention["title"]
    assert traced["rows"]


def test_lists_are_bounded_and_say_how_many_there_are(client: Client, sample_run: runs.Run) -> None:
    drugs = sample_run.table("drugs").height
    assert answer(client, "drugs", limit="3")["total"] == drugs
    assert len(answer(client, "drugs", limit="3")["rows"]) == 3
    assert answer(client, "drugs", limit="0")["rows"] == []
    assert len(answer(client, "related-drugs", drug="caffeine", limit="1")["related"]) == 1
    refused = client.get("/api/drugs", params={"limit": str(MOST_LISTED + 1)})
    assert refused.status_code == 400
    assert str(MOST_LISTED) in refused.json()["error"]
    listing = [q for q in QUESTIONS if q.name not in {"names", "top-journal", "trace"}]
    for question in listing:
        (limit,) = (p for p in question.parameters if p.name == "limit")
        assert (limit.default, limit.maximum) == (LISTED, MOST_LISTED)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/api/mentions", "mentions needs the parameter drug"),
        ("/api/mentions?drug=", "mentions needs the parameter drug"),
        ("/api/mentions?drug=a&drug=b", "drug is given 2 times"),
        ("/api/mentions?drug=a&dose=1", "mentions has no parameter dose"),
        ("/api/mentions?drug=a&since=soon", "soon"),
        ("/api/mentions?drug=a&since=2020&until=2019", "before it begins"),
        ("/api/mentions?drug=a&source=books", "source is one of pubmed"),
        ("/api/mentions?drug=a&limit=-1", "limit is a whole number"),
        ("/api/mentions?drug=a&limit=1e3", "limit is a whole number"),
        ("/api/mentions?drug=a&limit=000000000999999999", "limit is a whole number"),
        (f"/api/mentions?drug=a&limit={'0' * 5000}", "limit is a whole number"),
        (f"/api/drugs?{'&'.join(f'f{n}=1' for n in range(60))}", "more than 50 parameters"),
        ("/api/top-journal?exclude_retracted=maybe", "exclude_retracted is one of true, false"),
        (f"/api/mentions?drug={'a' * (MOST_CHARACTERS + 1)}", "more than"),
        ("/api/drugs?sort=size", "sort is one of"),
    ],
)
def test_a_wrong_question_is_refused_by_name(client: Client, address: str, told: str) -> None:
    response = client.get(address)
    assert response.status_code == 400
    assert told in response.json()["error"]


@pytest.mark.parametrize(
    ("address", "close"),
    [
        ("/api/mentions?drug=digoxn", "digoxin"),
        ("/api/names?drug=digoxn", "digoxin"),
        ("/api/related-drugs?drug=digoxn", "digoxin"),
        ("/api/top-journal?class=Z01", None),
        ("/api/mentions?drug=digoxin&journal=no-such", None),
        ("/api/rejected?file=no-such.csv", None),
        ("/api/trace?drug=digoxin&source=pubmed&id=1", None),
    ],
)
def test_what_is_unknown_is_not_found(client: Client, address: str, close: str | None) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert response.json()["error"]
    if close is not None:
        assert close in response.json()["close_spellings"]


def test_only_get_is_answered(client: Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        for address in ("/api/drugs", "/explorer.html", "/", "/health"):
            assert client.request(method, address).status_code == 405
    assert client.head("/api/drugs").status_code == 200
    assert client.head("/api/drugs").text == ""


def test_the_explorer_and_the_documents_are_served_as_they_are(
    client: Client, sample_run: runs.Run
) -> None:
    release = runs.current(sample_run.store)
    for name, kind in {
        "explorer.html": "text/html; charset=utf-8",
        "graph.json": "application/json",
        "names.json": "application/json",
        "release.json": "application/json",
    }.items():
        for encoding in ("gzip", "identity"):
            response = client.get(f"/{name}", headers={"Accept-Encoding": encoding})
            assert response.content == (release / name).read_bytes()
            assert response.headers["content-type"] == kind
            assert response.headers.get("content-encoding", "identity") == encoding
    assert client.get("/").url.path == "/explorer.html"


@pytest.mark.parametrize(
    "name",
    [
        *("mentions.parquet", "landing.json", "latest.json", "releases", "explorer_files/../x.js"),
        *("../latest.json", "explorer_files/", "explorer_files/a/b.js", "%2e%2e/latest.json"),
        *("explorer_files/s0.js", "api/nothing", "exports/..%2F..%2Flatest.json"),
        *("exports/%00", f"exports/{'a' * 300}", "exports/no-such.csv"),
    ],
)
def test_nothing_else_is_served(client: Client, name: str) -> None:
    response = client.get(f"/{name}")
    assert response.status_code == 404
    assert set(response.json()) == {"error"}


def test_what_is_unknown_is_not_found_whatever_a_client_has(client: Client) -> None:
    tag = client.get("/api/drugs").headers["etag"]
    for _ in range(2):
        response = client.get("/api/mentions?drug=digoxn", headers={"If-None-Match": tag})
        assert response.status_code == 404
        assert "digoxin" in response.json()["close_spellings"]


def test_a_client_that_takes_nothing_compressed_gets_it_as_it_is(client: Client) -> None:
    for taken, is_packed in {"gzip;q=0": False, "br, gzip; q=0.5": True, "br": False}.items():
        response = client.get("/graph.json", headers={"Accept-Encoding": taken})
        assert ("content-encoding" in response.headers) is is_packed


def test_a_large_answer_is_compressed(client: Client) -> None:
    response = client.get("/api/drugs", headers={"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.json() == answer(client, "drugs")


def test_what_is_long_is_sent_in_pieces(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # Cloud Run refuses answers that say that they are longer than 32 MiB.
    addresses = ("/graph.json", "/api/drugs", "/exports/mentions.xlsx")
    for encoding in ("identity", "gzip"):
        headers = {"Accept-Encoding": encoding}
        whole = [client.get(address, headers=headers) for address in addresses]
        assert all(r.status_code == 200 and "content-length" in r.headers for r in whole)
        with monkeypatch.context() as patch:
            patch.setattr(app, "_LONGEST_SAID_BYTES", 100)
            for address, before in zip(addresses, whole, strict=True):
                response = client.get(address, headers=headers)
                assert response.headers["transfer-encoding"] == "chunked"
                assert "content-length" not in response.headers
                assert response.content == before.content
            assert client.get("/health").headers["content-length"]
    monkeypatch.setattr(app, "_LONGEST_SAID_BYTES", 100)
    of_part = {"Accept-Encoding": "identity", "Range": "bytes=5-204"}
    part = client.get("/graph.json", headers=of_part)
    assert (part.status_code, part.headers["transfer-encoding"]) == (206, "chunked")
    assert part.content == client.get("/graph.json").content[5:205]


def test_what_a_client_has_is_not_sent_again(client: Client) -> None:
    for address in ("/api/drugs", "/explorer.html", "/graph.json"):
        first = client.get(address)
        tag = first.headers["etag"]
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert first.headers["cache-control"] == "no-cache"
        for known in ("*", f'"x", {tag}', tag.removeprefix("W/")):
            assert client.get(address, headers={"If-None-Match": known}).status_code == 304
        # A browser gives the headers of a 304 to the page that it has.
        policies = {r.headers.get("content-security-policy") for r in (first, again)}
        assert policies == {first.headers["content-security-policy"], None}
        assert client.get(address, headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_every_response_has_the_headers_for_safety(client: Client) -> None:
    for address in ("/", "/api/drugs", "/explorer.html", "/health", "/no-such", "/api/mentions"):
        headers = client.get(address, follow_redirects=False).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        # The page has a policy with the hash of its own script.
        assert ("default-src 'none'" in policy) is (address != "/explorer.html")
        assert "access-control-allow-origin" not in headers


def test_a_site_whose_name_leads_here_is_told_nothing(sample_run: runs.Run) -> None:
    with client_of(sample_run.store, hosts=["drugs.example"]) as client:
        for host, status in {
            "localhost": 200,
            "localhost:8000": 200,
            "127.0.0.1:8000": 200,
            "[::1]:8000": 200,
            "drugs.example": 200,
            "attacker.example": 400,
        }.items():
            assert client.get("/api/drugs", headers={"Host": host}).status_code == status


def test_the_questions_describe_themselves(client: Client) -> None:
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {f"/api/{question.name}" for question in QUESTIONS}
    for question in QUESTIONS:
        operation = described["paths"][f"/api/{question.name}"]["get"]
        told = {parameter["name"]: parameter for parameter in operation["parameters"]}
        assert set(told) == {parameter.name for parameter in question.parameters}
        for parameter in question.parameters:
            assert told[parameter.name]["required"] is parameter.required
            schema = told[parameter.name]["schema"]
            for value in [*schema.get("enum", []), schema.get("default")]:
                if value is not None:
                    read = parameter.read(str(value).lower() if value is False else str(value))
                    assert read == value


def test_a_new_release_is_served_without_a_restart(
    small_run: runs.Run, later_run: runs.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy machine takes for it, a request waits for the look at the store.
    monkeypatch.setattr("drug_assets.serving.current._LOOK_SECONDS", 60.0)
    shutil.copytree(small_run.store, tmp_path / "store", symlinks=True)
    clock = Clock()
    with client_of(tmp_path / "store", clock) as client:
        before = client.get("/health").json()["release"]
        counted = answer(client, "drugs")
        tag = client.get("/api/drugs").headers["etag"]
        shutil.rmtree(tmp_path / "store")
        shutil.copytree(later_run.store, tmp_path / "store", symlinks=True)
        assert client.get("/health").json()["release"] == before
        clock.seconds += 2
        assert client.get("/health").json()["release"] != before
        assert client.get("/api/drugs", headers={"If-None-Match": tag}).status_code == 200
        assert answer(client, "drugs") != counted


def test_without_a_release_it_waits_for_one(small_run: runs.Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    clock = Clock()
    with client_of(store, clock) as client:
        for address in ("/health", "/api/drugs", "/explorer.html"):
            response = client.get(address)
            assert response.status_code == 503
            assert "there is no release" in response.json()["error"]
            assert response.headers["retry-after"]
        assert client.get("/alive").json() == {"status": "ok"}
        store.rmdir()
        shutil.copytree(small_run.store, store, symlinks=True)
        assert client.get("/health").status_code == 200


def test_a_store_that_cannot_be_reached_for_a_while_does_no_harm(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with client_of(small_run.store, clock) as client:
        assert client.get("/health").status_code == 200

        def fail(_: object) -> None:
            raise StorageError("the network is down")

        monkeypatch.setattr(LocalFolder, "pointer", fail)
        clock.seconds += 2
        assert client.get("/health").status_code == 200
        assert answer(client, "drugs")
    with client_of(small_run.store) as client:
        response = client.get("/health")
        assert response.status_code == 503
        assert "the network is down" in response.json()["error"]
        assert client.get("/alive").status_code == 200


@pytest.mark.slow
def test_a_store_that_is_slow_holds_nobody_up(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, answers = Clock(), threading.Event()
    with client_of(small_run.store, clock) as client:
        release = client.get("/health").json()["release"]
        pointer = LocalFolder.pointer

        def wait(store: LocalFolder) -> object:
            assert answers.wait(60)
            return pointer(store)

        monkeypatch.setattr(LocalFolder, "pointer", wait)
        for _ in range(50):
            clock.seconds += 2
            assert client.get("/health").json()["release"] == release
        answers.set()
        assert client.get("/health").status_code == 200


def test_an_answer_is_computed_once_for_a_release(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    scan = pl.scan_parquet

    def count(*arguments: Any, **options: Any) -> pl.LazyFrame:
        counted.append(str(arguments[0]))
        return scan(*arguments, **options)

    with client_of(small_run.store) as client:
        first = answer(client, "drugs")
        monkeypatch.setattr(pl, "scan_parquet", count)
        assert answer(client, "drugs") == first
        assert counted == []
        answer(client, "drugs", limit="1")
        assert counted


def test_answers_are_kept_up_to_a_number_of_bytes() -> None:
    kept = Answers(most_bytes=10_000)
    kept.keep("a", b"1" * 4000)
    kept.keep("b", b"2" * 4000)
    assert kept.get("a") == b"1" * 4000
    kept.keep("c", b"3" * 4000)
    assert kept.get("b") is None  # "a" was asked for later
    assert (kept.get("a"), kept.get("c")) == (b"1" * 4000, b"3" * 4000)
    kept.keep("d", b"4" * 10_000)
    assert [kept.get(key) for key in "acd"] == [None, None, None]


def test_questions_count_among_what_is_kept() -> None:
    kept = Answers(most_bytes=10_000)
    for number in range(1000):
        kept.keep(("top-journal", " " * number), b"")
    assert len(kept._kept) <= 20
    assert kept.get(("top-journal", " " * 999)) == b""


def test_a_defect_is_told_without_its_details(
    small_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("drug_assets.serving.questions.list_drugs", fail)
    with client_of(small_run.store) as client:
        response: Response = client.get("/api/drugs")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert set(response.json()) == {"error"}


def test_files_are_compressed_once(small_run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    pack = gzip.open

    def count(*arguments: Any, **options: Any) -> Any:
        opened.append(arguments[0])
        return pack(*arguments, **options)

    monkeypatch.setattr(gzip, "open", count)
    with client_of(small_run.store) as client:
        for _ in range(3):
            client.get("/graph.json", headers={"Accept-Encoding": "gzip"})
    assert len(opened) == 1
