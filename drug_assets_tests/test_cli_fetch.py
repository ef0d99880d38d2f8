"""The command line of pulls: what is asked, what is told, and how each failure ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support import commands
from drug_assets_tests.support.loopback_services import Fault, PubMed, Reply, Trials, landed_ids
from drug_assets_tests.support.vocabulary_owners import Owner, listing, offer_mesh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


pytestmark = pytest.mark.usefixtures("no_settings_of_the_machine")


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_settings_of_the_machine: None) -> None:
    """A landing zone in the folder of every test."""
    (tmp_path / "zone").mkdir()
    monkeypatch.setenv("DRUG_ASSETS_LANDING", "zone")


@pytest.fixture
def pubmed(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubMed]:
    with PubMed(3) as service:
        monkeypatch.setenv("DRUG_ASSETS_PUBMED_URL", service.url)
        yield service


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trials]:
    with Trials(3) as service:
        monkeypatch.setenv("DRUG_ASSETS_CLINICAL_TRIALS_URL", service.url)
        yield service


def fetch(*arguments: str | Path) -> Result:
    return commands.asked("fetch", *arguments)


@pytest.mark.slow
def test_records_are_landed_and_counted(pubmed: PubMed, tmp_path: Path) -> None:
    result = fetch("pubmed", "--query", "aspirin")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "3 records in 1 files of zone\n"
    assert set(landed_ids(tmp_path / "zone")) == {"500", "501", "502"}


def test_studies_are_landed_and_counted(trials: Trials, tmp_path: Path) -> None:
    result = fetch("clinical-trials", "--query", "aspirin")
    assert (result.exit_code, result.stdout) == (0, "3 records in 1 files of zone\n")
    assert set(landed_ids(tmp_path / "zone")) == set(trials.studies)


@pytest.mark.slow
def test_the_flag_decides_the_landing_zone(pubmed: PubMed, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    result = fetch("pubmed", "--query", "aspirin", "--landing", "other")
    assert result.stdout == "3 records in 1 files of other\n"
    assert list((tmp_path / "zone").iterdir()) == []


@pytest.mark.slow
def test_a_second_pull_says_that_all_was_there(pubmed: PubMed) -> None:
    fetch("pubmed", "--query", "aspirin", "--page-size", "2")
    asked = len(pubmed.asked)
    result = fetch("pubmed", "--query", "aspirin", "--page-size", "2")
    assert result.stdout == "3 records in 2 files of zone, 2 of them there before\n"
    assert len(pubmed.asked) == asked


@pytest.mark.slow
def test_every_option_is_asked_for(pubmed: PubMed) -> None:
    days = ("--since", "2020-01-01", "--until", "2020-01-31")
    fetch("pubmed", "--query", "a  b", *days, "--page-size", "2", "--date-type", "pdat")
    search, *pages = [asked.fields for asked in pubmed.asked]
    assert (search["term"], search["datetype"]) == ("a b", "pdat")
    assert (search["mindate"], search["maxdate"]) == ("2020/01/01", "2020/01/31")
    assert [page["id"] for page in pages] == ["500,501", "502"]


def test_key_and_address_of_the_caller_are_sent(
    pubmed: PubMed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCBI_API_KEY", PubMed.KEY)
    monkeypatch.setenv("NCBI_EMAIL", "a@b.org")
    result = fetch("pubmed", "--query", "aspirin")
    assert result.exit_code == 0
    assert {(a.fields["api_key"], a.fields["email"]) for a in pubmed.asked} == {
        (PubMed.KEY, "a@b.org")
    }


def test_the_report_is_told_as_json(trials: Trials) -> None:
    result = fetch("clinical-trials", "--query", "étude", "--json")
    assert "étude" in result.stdout
    told = json.loads(result.stdout)
    assert (told["query"], told["records"], told["resumed"]) == ("étude", 3, False)
    assert len(told["files"]) == 1


@pytest.mark.slow
def test_warnings_are_told_beside_the_answer(pubmed: PubMed) -> None:
    result = fetch("pubmed", "--query", "aspirin[tittle]")
    assert result.exit_code == 0
    assert result.stderr == "warning: not a field of PubMed: tittle\n"
    assert result.stdout == "3 records in 1 files of zone\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--query", " "), "query must be a text that is not blank"),
        (("--query", "x", "--page-size", "0"), "page_size is 0, it must be 1 to 5000"),
        (("--query", "x", "--date-type", "dp"), "date_type is 'dp'"),
        (("--query", "x", "--since", "2020-01-02", "--until", "2020-01-01"), "is after until"),
    ],
)
def test_a_wrong_request_is_wrong_usage(
    pubmed: PubMed, options: tuple[str, ...], told: str
) -> None:
    result = fetch("pubmed", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("drug-assets: not a fetch request: ")
    assert told in result.stderr
    assert pubmed.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("drugs", "--query", "x"),
        ("pubmed",),
        ("pubmed", "--query", "x", "--since", "01/01/2020"),
        ("pubmed", "--query", "x", "--page-size", "many"),
    ],
)
def test_wrong_arguments_are_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = fetch(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.output


def test_a_landing_zone_that_cannot_be_used_is_wrong_usage(pubmed: PubMed, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = fetch("pubmed", "--query", "x", "--landing", "file")
    assert result.exit_code == 2
    assert "file" in result.stderr
    assert pubmed.asked == []


def test_a_refused_query_ends_with_the_words_of_the_service(trials: Trials) -> None:
    result = fetch("clinical-trials", "--query", "aspirin AND (")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "it answered 400: Too complicated query" in result.stderr
    assert result.stderr.endswith(" (the same command goes on where this one stopped)\n")


@pytest.mark.slow
def test_an_interrupted_pull_goes_on(pubmed: PubMed, tmp_path: Path) -> None:
    pubmed.faults[3] = Fault(Reply(400, b"no more"))
    arguments = ("pubmed", "--query", "aspirin", "--page-size", "2")
    assert fetch(*arguments).exit_code == 1
    pubmed.asked.clear()  # its clock stands still, and it answers three requests a second
    pubmed.faults.clear()
    result = fetch(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "3 records in 2 files of zone, 1 of them there before\n"
    assert set(landed_ids(tmp_path / "zone").values()) == {1}


def test_help_names_the_service_and_that_pulls_resume() -> None:
    for command, service in (("pubmed", "PubMed"), ("clinical-trials", "ClinicalTrials.gov")):
        told = " ".join(fetch(command, "-h").stdout.split())
        assert f"Pull from {service}. An interrupted pull goes on where it stopped." in told


# Vocabularies


@pytest.fixture
def mesh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    with Owner() as owner:
        offer_mesh(owner, 2026)
        monkeypatch.setenv("DRUG_ASSETS_MESH_URL", f"{owner.url}/")
        yield owner


@pytest.mark.slow
def test_a_vocabulary_lands_and_is_told_by_edition(mesh: Owner, tmp_path: Path) -> None:
    edition = "MeSH (desc2026.gz of 2026-02-03, supp2026.gz of 2026-02-03)"
    result = fetch("vocabulary", "mesh")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{edition}: 2 files landed in zone\n"
    assert len(list((tmp_path / "zone" / "drugs").iterdir())) == 2
    assert fetch("vocabulary", "mesh").stdout == f"{edition}: 2 were there in this edition\n"
    mesh.files |= {"/desc2027.gz": mesh.files["/desc2026.gz"], "/supp2027.gz": b""}
    mesh.page = {"/": listing("/desc2026.gz", "/supp2026.gz", "/desc2027.gz")}
    assert fetch("vocabulary", "mesh").stdout.endswith("2 were there in this edition\n")
    mesh.files["/supp2027.gz"] = mesh.files["/supp2026.gz"]
    mesh.page = {"/": listing(*mesh.files)}
    result = fetch("vocabulary", "mesh")
    assert result.stdout.endswith(": 2 files landed in zone, 2 of a former one were removed\n")


@pytest.mark.slow
def test_a_vocabulary_is_told_as_json(mesh: Owner) -> None:
    told = json.loads(fetch("vocabulary", "mesh", "--json", "--landing", "other").stdout)
    assert (told["vocabulary"], len(told["landed"]), told["kept"]) == ("mesh", 2, [])
    assert [file["url"] for file in told["files"]] == [f"{mesh.url}{path}" for path in mesh.files]


@pytest.mark.slow
def test_a_vocabulary_that_does_not_come_ends_with_the_words_of_its_owner(mesh: Owner) -> None:
    mesh.files.clear()
    result = fetch("vocabulary", "mesh")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "MeSH: desc2026.gz: it answered 404: 404 Not Found" in result.stderr


def test_an_unknown_vocabulary_is_wrong_usage() -> None:
    result = fetch("vocabulary", "snomed")
    assert result.exit_code == 2
    assert "'mesh', 'unii', 'rxnorm', 'bdpm'" in result.output
