"""The command line: answers, exit codes, and errors for people."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from drug_assets import cli, mentions
from drug_assets.answers import DRUG_ORDERS, JOURNAL_ORDERS
from drug_assets.cli import main
from drug_assets.document import RELATED_ORDERS
from drug_assets.wording import shorten
from drug_assets_tests.support import runs
from drug_assets_tests.support.commands import asked

if TYPE_CHECKING:
    import polars as pl
    from click.testing import Result

pytestmark = [
    pytest.mark.xdist_group("runs"),
    pytest.mark.usefixtures("no_settings_of_the_machine"),
]


@pytest.fixture
def graph(sample_run: runs.Run) -> Path:
    return sample_run.graph


@pytest.mark.parametrize(
    ("command", "orders"),
    [("drugs", DRUG_ORDERS), ("journals", JOURNAL_ORDERS), ("related-drugs", RELATED_ORDERS)],
)
def test_the_orders_to_choose_from_are_those_of_the_answers(
    command: str, orders: tuple[str, ...]
) -> None:
    (order,) = [option for option in main.commands[command].params if option.name == "order"]
    assert isinstance(order.type, click.Choice)
    assert tuple(order.type.choices) == orders
    assert order.default == orders[0]


def test_every_option_and_argument_is_declared_once() -> None:
    declared = Counter(
        ast.dump(call)
        for module in Path(cli.__file__).parent.glob("*.py")
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"click.option", "click.argument", "click.Choice"}
    )
    assert len(declared) > 30
    assert [call for call, number in declared.items() if number > 1] == []


# Questions


def read_csv(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.stderr
    text = result.stdout_bytes.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_top_journal_as_csv(graph: Path) -> None:
    question = ("top-journal", "--graph", graph)
    expected = json.loads(asked(*question, "--json").stdout)
    assert read_csv(asked(*question, "--csv")) == [
        {key: "; ".join(of) if isinstance(of, list) else str(of) for key, of in answer.items()}
        for answer in expected
    ]
    options = ("--class", "C10", "--with-trial-results", "--since", "2000")
    answers = json.loads(asked(*question, *options, "--json").stdout)
    assert answers
    rows = read_csv(asked(*question, *options, "--csv"))
    assert [row.keys() for row in rows] == [answer.keys() for answer in answers]
    assert [row["class"] for row in rows] == ["C10"] * len(answers)
    assert [int(row["open_mentions"]) for row in rows] == [a["open_mentions"] for a in answers]


def test_related_drugs_as_csv(graph: Path) -> None:
    question = ("related-drugs", "caffeine", "--graph", graph, "--sort", "lift")
    expected = json.loads(asked(*question, "--json").stdout)["related"]
    assert len(expected) > 2
    rows = read_csv(asked(*question, "--csv"))
    assert [(row["drug"], float(row["lift"]), row["journals"]) for row in rows] == [
        (drug["drug"], drug["lift"], "; ".join(drug["journals"])) for drug in expected
    ]
    assert [int(row["journal_count"]) for row in rows] == [len(d["journals"]) for d in expected]
    assert read_csv(asked(*question, "--csv", "--limit", "2")) == rows[:2]


def test_answers_as_csv_name_the_trials_by_whose_results_drugs_count(tmp_path: Path) -> None:
    result = {"type": "pubmed", "id": "1", "kind": "result", "journal": "Heart"}
    trial = {
        "type": "clinical_trial",
        "id": "NCT1",
        "publications": [result | {"journal_id": "heart", "retracted": None}],
    }
    by_heart = {"journal": "Heart", "journal_id": "heart", "mentions": [{"type": "pubmed"}]}
    drugs = [
        {"drug_id": "a", "drug": "=A", "names": ["=A"], "mentions": [trial], "journals": []},
        {"drug_id": "b", "drug": "B", "names": ["B"], "mentions": [], "journals": [by_heart]},
    ]
    graph = tmp_path / "graph.json"
    graph.write_text("[\n" + ",\n".join(map(json.dumps, drugs)) + "\n]\n", encoding="utf-8")
    question = ("--graph", graph, "--with-trial-results", "--csv")
    (top,) = read_csv(asked("top-journal", *question))
    assert (top["drugs"], top["via"]) == ("'=A; B", "'=A via NCT1")
    (related,) = read_csv(asked("related-drugs", "b", *question))
    assert (related["drug"], related["via"]) == ("'=A", "Heart via NCT1")


def test_an_empty_answer_as_csv_has_its_columns(tmp_path: Path) -> None:
    graph = _write_graph(tmp_path / "graph.json", {"a": []})
    for name in (("top-journal",), ("related-drugs", "a")):
        (head,) = asked(*name, "--graph", graph, "--csv").stdout.splitlines()
        assert "journal" in head


def test_json_and_csv_are_two_forms(graph: Path) -> None:
    refused = asked("top-journal", "--graph", graph, "--csv", "--json")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_top_journal_as_text(graph: Path) -> None:
    result = asked("top-journal", "--graph", graph)
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("Annals of Sample Pharmacology: 11 drugs (acetylsalicylic acid, ")
    assert second.startswith("Journal of Invented Therapeutics: 11 drugs (")


def test_top_journal_as_json(graph: Path) -> None:
    result = asked("top-journal", "--json", "--graph", graph)
    answers = json.loads(result.stdout)
    assert [answer["journal"] for answer in answers] == [
        "Annals of Sample Pharmacology",
        "Journal of Invented Therapeutics",
    ]
    assert all(answer["drug_count"] == len(answer["drugs"]) == 11 for answer in answers)


def test_related_drugs_as_text(graph: Path) -> None:
    result = asked("related-drugs", "Adrenaline", "--graph", graph)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "ethanol (in 1 journal, 2.2 × chance: Cahiers fictifs de médecine d'urgence)" in lines
    assert len(lines) == 10


def test_related_drugs_as_json_without_trial_journals(graph: Path) -> None:
    arguments = ("related-drugs", "epinephrine", "--json", "--graph", graph)
    every = json.loads(asked(*arguments).stdout)
    left = json.loads(asked(*arguments, "--exclude-trial-journals").stdout)
    assert (len(every["related"]), len(left["related"])) == (10, 6)
    assert every["drug"] == "epinephrine"
    journals = {related["drug"]: related["journals"] for related in left["related"]}
    assert journals["ethanol"] == ["Cahiers fictifs de médecine d'urgence"]


def test_related_drugs_of_a_period_and_by_lift(graph: Path) -> None:
    question = ("related-drugs", "epinephrine", "--graph", graph)
    lines = asked(*question, "--since", "2003", "--until", "2020-06", "--sort", "lift").stdout
    first, *_, last = lines.splitlines()
    assert first.startswith("betamethasone (in 1 journal, 6.0 × chance: ")
    assert last == (
        "Of the mentions by its journals 0 may lie outside, as far as their date is known; "
        "left out: 11 outside, 6 without a date"
    )
    document = json.loads(asked(*question, "--since", "2003", "--limit", "2", "--json").stdout)
    assert len(document["related"]) == 2
    assert (document["outside_mentions"], document["undated_mentions"]) == (6, 6)
    few = asked(*question, "--limit", "2").stdout.splitlines()
    assert few[2:] == ["and 8 more drugs (--limit 0 lists all)"]
    nothing = asked(*question, "--since", "2999").stdout.splitlines()
    assert nothing[0] == "No drug shares a PubMed journal with epinephrine since 2999-01-01."


def test_top_journals_of_a_period(graph: Path) -> None:
    question = ("top-journal", "--graph", graph, "--since", "2010")
    told = asked(*question).stdout
    assert told.startswith("Journal of Invented Therapeutics: 9 drugs since 2010-01-01 (")
    assert told.endswith(
        "; of its mentions 0 may lie outside, as far as their date is known; "
        "left out: 5 outside, 0 without a date\n"
    )
    (top,) = json.loads(asked(*question, "--json").stdout)
    assert (top["open_mentions"], top["outside_mentions"], top["undated_mentions"]) == (0, 5, 0)
    assert "left_out" not in top
    nothing = asked("top-journal", "--graph", graph, "--since", "2999").stdout
    assert nothing == "No journal mentions any drug since 2999-01-01.\n"


STATES: dict[str, list[bool | None]] = {"A": [True, True, False], "B": [None], "C": [True]}
RETRACTED = {
    name: [
        {"type": "pubmed", "id": f"{name}{n}", "date": None, "retracted": retracted}
        for n, retracted in enumerate(states)
    ]
    for name, states in STATES.items()
}


@pytest.fixture
def retracted_graph(tmp_path: Path) -> Path:
    """A, B and C, mentioned by one journal: two of three, none and one mention are retracted."""
    lines = [
        json.dumps(
            {
                "drug_id": name,
                "drug": name,
                "names": [name],
                "atc_codes": [],
                "mentions": [],
                "journals": [{"journal": "Pain", "journal_id": "pain", "mentions": mentions}],
            }
        )
        for name, mentions in RETRACTED.items()
    ]
    path = tmp_path / "retracted.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
    return path


def test_retracted_evidence_is_told(retracted_graph: Path) -> None:
    told = asked("top-journal", "--graph", retracted_graph).stdout
    assert told == "Pain: 3 drugs (A, B, C); retracted: 3 of 5 mentions\n"
    told = asked("related-drugs", "b", "--graph", retracted_graph).stdout
    assert told == (
        "A (in 1 journal, 1.0 × chance: Pain)\nC (in 1 journal, 1.0 × chance: Pain)\n"
        "Retracted: 3 of 5 mentions\n"
    )


def test_retracted_evidence_can_be_left_out_and_what_is_unknown_is_told(
    retracted_graph: Path,
) -> None:
    flags = ("--exclude-retracted", "--graph", retracted_graph)
    unknown = "etracted ones left out, not known whether retracted: 1 of 2 mentions\n"
    assert asked("top-journal", *flags).stdout == f"Pain: 2 drugs (A, B); r{unknown}"
    related = "A (in 1 journal, 1.0 × chance: Pain)"
    assert asked("related-drugs", "b", *flags).stdout == f"{related}\nR{unknown}"
    (top,) = json.loads(asked("top-journal", *flags, "--json").stdout)
    related = json.loads(asked("related-drugs", "a", *flags, "--json").stdout)
    for answer in (top, related, *related["related"]):
        counts = [answer[c] for c in ("mentions", "retracted_mentions", "unknown_mentions")]
        assert counts == [2, 0, 1]


def test_drug_without_mention_has_an_empty_answer(graph: Path) -> None:
    result = asked("related-drugs", "quinine", "--graph", graph)
    assert (result.exit_code, result.stdout) == (
        0,
        "No drug shares a PubMed journal with quinine.\n",
    )


@pytest.mark.parametrize(
    "question",
    [
        ("mentions", "epinefrine"),
        ("names", "epinefrine"),
        ("trace", "epinefrine", "pubmed", "1"),
        ("related-drugs", "epinefrine"),
        ("export", "csv", "--to", "x.csv", "--drug", "epinefrine"),
    ],
    ids=lambda question: question[0],
)
def test_every_question_about_an_unknown_drug_tells_close_spellings(
    sample_run: runs.Run, question: tuple[str, ...]
) -> None:
    result = asked(*question, "--store", sample_run.store)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "close spellings: epinephrine" in result.stderr


def test_unknown_drug_is_told_with_close_spellings(graph: Path) -> None:
    result = asked("related-drugs", "epinefrine", "--graph", graph)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "'epinefrine'" in result.stderr
    assert "epinephrine" in result.stderr


def test_drug_of_a_long_list_that_no_title_names_is_known_beside_a_graph(tmp_path: Path) -> None:
    graph = _write_graph(tmp_path / "graph.json", {"a": ["Pain"], "b": ["Pain"]})
    question = ("related-drugs", "quinine", "--graph", graph)
    assert "no drug of the graph is named 'quinine'" in asked(*question).stderr
    names = '{"drug_id": "x", "drug": "Chinin", "names": ["chinin", "quinine"], "atc_codes": []}'
    (tmp_path / "names.json").write_text(f"[\n{names}\n]\n")
    assert asked(*question).stdout == "No drug shares a PubMed journal with Chinin.\n"
    known = asked("related-drugs", "a", "--graph", graph)
    assert known.stdout == "b (in 1 journal, 1.0 × chance: Pain)\n"
    unknown = asked("related-drugs", "quinina", "--graph", graph)
    assert "close spellings: quinine" in unknown.stderr
    (tmp_path / "names.json").write_text("[\n{}\n]\n")
    damaged = asked(*question)
    assert (damaged.exit_code, damaged.stdout) == (1, "")
    assert "names.json is not a document of names: line 2" in damaged.stderr


@pytest.mark.parametrize("question", [("top-journal",), ("related-drugs", "aspirin")])
def test_missing_graph_says_what_to_do(question: tuple[str, ...]) -> None:
    result = asked(*question, "--graph", "nowhere.json")
    assert result.exit_code == 2
    assert "nowhere.json" in result.stderr
    assert "drug-assets run" in result.stderr


@pytest.mark.parametrize("question", [("top-journal",), ("related-drugs", "aspirin")])
@pytest.mark.parametrize("content", [b"", b"drug,journal\n", b"{}", b"[\n{}\n]", b"\xff\xfe\x00"])
def test_file_that_is_no_graph_is_named(
    question: tuple[str, ...], content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "some.json"
    file.write_bytes(content)
    result = asked(*question, "--graph", file)
    assert result.exit_code == 1
    assert f"{file} is not a graph document" in result.stderr


def test_graph_of_the_store_is_asked_by_default(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STORE", str(sample_run.store))
    assert asked("top-journal").exit_code == 0


def test_tilde_in_the_store_is_the_home_folder(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(sample_run.store.parent))
    monkeypatch.setenv("DRUG_ASSETS_STORE", f"~/{sample_run.store.name}")
    assert asked("top-journal").exit_code == 0


def test_graph_flag_wins_over_the_variable(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STORE", "nowhere")
    assert asked("top-journal").exit_code == 2
    assert asked("top-journal", "--graph", graph).exit_code == 0


@pytest.mark.processes
@pytest.mark.parametrize(
    "question",
    [
        ["top-journal"],
        ["top-journal", "--class", "R"],
        ["related-drugs", "ADRÉNALINE"],
        ["related-drugs", "R"],
    ],
)
def test_questions_import_neither_dagster_nor_polars(graph: Path, question: list[str]) -> None:
    script = (
        "import sys; from drug_assets.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'dagster', 'polars', 'rich', 'dataframely'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)\n"
    )
    command = [sys.executable, "-c", script, *question, "--graph", str(graph)]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=runs.REPOSITORY, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


def test_graph_at_the_end_of_a_store_with_a_slash_is_found(
    sample_run: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STORE", f"{sample_run.store}//")
    assert asked("top-journal").exit_code == 0


def test_missing_graph_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STORE", "store/")
    told = "run `drug-assets run`, or name another place with --store"
    result = asked("top-journal")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"drug-assets: there is no release in store: {told}\n"


def test_graph_at_a_place_of_no_known_kind_is_told() -> None:
    result = asked("top-journal", "--graph", "s3://bucket/graph.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("drug-assets: ")
    assert "s3://" in result.stderr


def _write_graph(
    path: Path, journals: dict[str, list[str]], codes: dict[str, str] | None = None
) -> Path:
    """A graph document of drugs, each with the journals whose PubMed publications name it.

    Args:
        path: where it is written.
        journals: by drug, these journals.
        codes: the ATC codes of those that have one; None for a document that has none.
    """
    lines = [
        json.dumps(
            {
                "drug_id": drug,
                "drug": drug,
                "names": [drug],
                **({} if codes is None else {"atc_codes": [codes[drug]] if drug in codes else []}),
                "journals": [
                    {"journal": j, "journal_id": j, "mentions": [{"type": "pubmed"}]} for j in of
                ],
            }
        )
        for drug, of in journals.items()
    ]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    return path


def test_one_drug_is_told_in_the_singular(tmp_path: Path) -> None:
    graph = _write_graph(tmp_path / "graph.json", {"é": ["Pain"], "b": []})
    assert asked("top-journal", "--graph", graph).stdout == "Pain: 1 drug (é)\n"
    assert '"é"' in asked("top-journal", "--json", "--graph", graph).stdout


def test_related_drugs_are_told_with_every_journal_that_links_them(tmp_path: Path) -> None:
    graph = _write_graph(tmp_path / "graph.json", {"a": ["J", "K"], "b": ["K", "J"], "c": ["L"]})
    told = asked("related-drugs", "a", "--graph", graph).stdout
    assert told == "b (in 2 journals, 1.5 × chance: J; K)\n"


def test_a_class_is_asked_for_by_its_code(tmp_path: Path) -> None:
    journals = {"a": ["J", "K"], "b": ["K"], "c": ["K", "L"], "d": []}
    codes = {"a": "N02BA01", "b": "N02BE01", "d": "R01"}
    graph = _write_graph(tmp_path / "graph.json", journals, codes)

    def told(*question: str) -> str:
        result = asked(*question, "--graph", graph)
        return f"{result.exit_code}: {result.stdout}{result.stderr}".strip()

    assert told("related-drugs", "n02") == "0: c (in 1 journal, 0.8 × chance: K)"
    assert (
        told("related-drugs", "R") == "0: No drug shares a PubMed journal with any drug of class R."
    )
    assert told("top-journal", "--class", "N02") == "0: K: 2 drugs of class N02 (a, b)"
    assert told("top-journal", "--class", "r") == "0: No journal mentions any drug of class R."
    assert told("top-journal", "--class", "N01") == (
        "1: drug-assets: no drug of the graph is of the ATC class 'N01'; "
        "close codes: N02, N02B, N, N02BA, N02BE"
    )
    assert "none is of that ATC class; close codes: R01, R;" in told("related-drugs", "R09")


def test_answers_in_json_say_the_class(tmp_path: Path) -> None:
    graph = _write_graph(
        tmp_path / "graph.json", {"a": ["J"], "b": ["J"]}, {"a": "N02BA01", "b": "A01"}
    )
    counts = {"mentions": 1, "retracted_mentions": 0, "unknown_mentions": 1}
    both = {"mentions": 2, "retracted_mentions": 0, "unknown_mentions": 2}

    def answer(*question: str) -> Any:
        return json.loads(asked(*question, "--json", "--graph", graph).stdout)

    assert answer("top-journal", "--class", "N") == [
        {"journal": "J", "drug_count": 1, "drugs": ["a"], **counts, "class": "N"}
    ]
    assert answer("related-drugs", "N") == {
        "class": "N",
        "drugs": ["a"],
        "related": [{"drug": "b", "journals": ["J"], "lift": 1.0, **both}],
        **both,
    }
    assert "class" not in answer("related-drugs", "a")
    (top,) = answer("top-journal")
    assert "class" not in top


def test_version_is_told() -> None:
    result = asked("--version")
    assert result.exit_code == 0
    assert version("drug_assets") in result.stdout


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(flag: str) -> None:
    told = asked(flag).stdout
    for command in main.commands:
        assert f"\n  {command} " in told


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["run"], "--landing DIR_OR_URI Landing zone. [DRUG_ASSETS_LANDING; data]"),
        (["run"], "--store DIR_OR_URI Where outputs go. [DRUG_ASSETS_STORE; output]"),
        (["run"], "--only-if-changed Do nothing if the landing zone is what the last"),
        (["top-journal"], "--graph PATH_OR_URI A graph document anywhere, instead of a store's."),
        (
            ["related-drugs"],
            "--exclude-trial-journals Leave out the journals that mention the given",
        ),
        (["related-drugs"], "--json Answer as JSON."),
        (["fetch", "pubmed"], "--landing DIR_OR_URI Landing zone. [DRUG_ASSETS_LANDING; data]"),
        (["fetch", "pubmed"], "--since [%Y-%m-%d] Only records from this day on."),
        (["fetch", "pubmed"], "--until [%Y-%m-%d] Only records up to this day."),
        (["fetch", "pubmed"], "--page-size INTEGER Records per file."),
        (["fetch", "pubmed"], "[required]"),
        (["deploy-sql"], "--sales-dataset TEXT Dataset of the sales tables. [the same]"),
        (
            ["deploy-sql"],
            "--descriptions Only describe the columns of the views that Terraform has made.",
        ),
    ],
)
def test_help_tells_what_each_option_is_and_where_it_may_stand(
    command: list[str], told: str
) -> None:
    assert told in " ".join(asked(*command, "-h").stdout.split())


# Wrong usage and configuration


@pytest.mark.parametrize(
    "variables",
    [{}, {"DRUG_ASSETS_BIGQUERY_PROJECT": "p"}, {"DRUG_ASSETS_BIGQUERY_DATASET": "d"}],
)
def test_sql_is_deployed_only_where_it_is_said(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = asked("deploy-sql")
    assert result.exit_code == 2
    assert "set DRUG_ASSETS_BIGQUERY_PROJECT and DRUG_ASSETS_BIGQUERY_DATASET" in result.stderr


def test_environment_of_earlier_versions_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUG_ASSETS_ENV", "gcs")
    result = asked("run", "--landing", "nowhere")
    assert result.exit_code == 2
    note, error = result.stderr.splitlines()
    assert note.startswith("note: DRUG_ASSETS_ENV=gcs has no effect any more: ")
    assert error == "drug-assets: there is no folder nowhere"


@pytest.mark.parametrize(
    "arguments",
    [(), ("nope",), ("run", "extra"), ("run", "--nope"), ("related-drugs",), ("top-journal", "x")],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    result = asked(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.output


@pytest.mark.parametrize("command", [("run",), ("top-journal",), ("related-drugs", "aspirin")])
def test_bad_environment_is_refused_with_the_list(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_ENV", "production")
    result = asked(*command)
    assert result.exit_code == 2
    assert "'production'; it can be local, bigquery" in result.stderr


def test_missing_landing_zone_is_named() -> None:
    result = asked("run", "--landing", "nowhere", "--store", "store")
    assert (result.exit_code, result.stderr) == (2, "drug-assets: there is no folder nowhere\n")


def test_landing_zone_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "drugs.csv").write_text("drug\n")
    result = asked("run", "--landing", "drugs.csv", "--store", "store")
    assert (result.exit_code, result.stderr) == (2, "drug-assets: drugs.csv is not a folder\n")


def test_store_that_is_a_file_is_named(tmp_path: Path) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    (tmp_path / "file").touch()
    for store in ("file", "file/below"):
        result = asked("run", "--landing", landing, "--store", store)
        assert result.exit_code == 2
        assert store in result.stderr


def test_unknown_scheme_is_named() -> None:
    result = asked("run", "--landing", "s3://bucket", "--store", "store")
    assert result.exit_code == 2
    assert "s3:// is not known" in result.stderr


def test_missing_dagster_home_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))
    result = asked("run", "--landing", landing, "--store", "store")
    assert result.exit_code == 2
    assert f"DAGSTER_HOME is {tmp_path / 'nowhere'}" in result.stderr


def test_broken_dagster_home_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: perhaps\n")
    result = asked("run", "--landing", landing, "--store", "store")
    assert result.exit_code == 2
    assert "DAGSTER_HOME" in result.stderr


# Runs


def _told(result: Result) -> str:
    return result.stdout + result.stderr


@pytest.fixture
def small_store(small_run: runs.Run, tmp_path: Path) -> Path:
    """A store that holds the outputs of a good run."""
    runs.copy(small_run.store, tmp_path / "store")
    return tmp_path / "store"


def test_run_reports_rows_checks_answers_and_outputs(small_run: runs.Run) -> None:
    lines = [" ".join(line.split()) for line in small_run.report.splitlines() if line.strip()]
    assert lines[0] == "source rows in kept merged rejected"
    assert lines[2:] == [
        "drugs 3 3 0 0",
        "pubmed 3 2 0 1 (1 blank_title)",
        "clinical_trials 2 2 0 0",
        "4 mentions in 2 journals",
        lines[6],
        "warning: rejected_records: rejected_share: 1 of 8 raw rows rejected",
        "Top journal, with 2 drugs: Journal of Tests; Letters of Tests",
        "Drugs related to ASPIRIN: PARACETAMOL",
        "What is new: Nothing to compare with yet.",
        f"Outputs in {runs.current(small_run.store)}",
        lines[-1],
    ]
    assert lines[6].endswith(" checks passed, 1 did not")
    assert lines[-1].startswith("Done after ")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nothing_is_run_if_nothing_changed(
    small_run: runs.Run,
    small_store: Path,
    log_format: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_LOG_FORMAT", log_format)
    landing = small_run.store.parent / "landing"
    before = runs.outputs(small_store)
    result = asked("run", "--landing", landing, "--store", small_store, "--only-if-changed")
    told = f"Nothing changed in {landing} since the last successful run."
    assert (result.exit_code, result.stdout) == (0, f"{told}\n")
    events = [json.loads(line) for line in result.stderr.splitlines()]
    assert [(e["event"], e["message"]) for e in events] == [("run_succeeded", told)] * (
        log_format == "json"
    )
    assert runs.outputs(small_store) == before


@pytest.mark.slow
def test_all_is_run_if_a_file_or_the_stop_list_changed(
    small_run: runs.Run, small_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = runs.landing_zone(tmp_path / "zone")
    arguments = ("run", "--landing", landing, "--store", small_store, "--only-if-changed")
    assert "Nothing changed" in asked(*arguments).stdout
    (landing / "drugs_2.csv").write_text("atccode,drug\nA01AD05,ASA\n")
    assert "Done after" in asked(*arguments).stdout
    assert "Nothing changed" in asked(*arguments).stdout
    (tmp_path / "list.csv").write_text("name,reason\naspirin,told so\n")
    monkeypatch.setenv("DRUG_ASSETS_STOP_LIST", "list.csv")
    assert "Done after" in asked(*arguments).stdout


def test_a_stop_list_that_cannot_be_read_is_wrong_configuration(
    small_run: runs.Run, small_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUG_ASSETS_STOP_LIST", "nowhere.csv")
    landing = small_run.store.parent / "landing"
    result = asked("run", "--landing", landing, "--store", small_store, "--only-if-changed")
    assert result.exit_code == 2
    assert "nowhere.csv" in result.stderr


@pytest.mark.slow
def test_run_is_kept_where_dagster_is_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    landing = runs.landing_zone(tmp_path / "landing")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    result = asked("run", "--landing", landing, "--store", tmp_path / "store")
    assert result.exit_code == 0, _told(result)
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs()
    assert (run.status, run.tags["drug_assets/reported"]) == (dg.DagsterRunStatus.SUCCESS, "yes")


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "none"),
        (1, "n0"),
        (10, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9"),
        (11, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 1 more"),
        (1010, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 1,000 more"),
    ],
)
def test_the_first_ten_names_are_told_and_the_others_counted(count: int, told: str) -> None:
    assert (shorten([f"n{number}" for number in range(count)]) or "none") == told


@pytest.mark.slow
def test_run_with_variables_exits_with_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.landing_zone(tmp_path / "ländliche Zone")
    monkeypatch.setenv("DRUG_ASSETS_LANDING", "ländliche Zone")
    monkeypatch.setenv("DRUG_ASSETS_STORE", "of variables")
    result = asked("run", "--store", "of [flags]*")
    assert result.exit_code == 0, _told(result)
    assert (tmp_path / "of [flags]*" / "latest" / "graph.json").is_file()
    assert not (tmp_path / "of variables").exists()


@pytest.mark.slow
def test_unreadable_files_are_all_named_and_outputs_stay(small_store: Path, tmp_path: Path) -> None:
    landing = runs.landing_zone(
        tmp_path / "landing",
        {
            **runs.SMALL,
            "pubmed_cut.csv.gz": gzip.compress(b"id,title,date,journal\n" * 99)[:-9],
            "drugs_2.json": b"PK\x03\x04",
        },
    )
    (landing / "clinical_trials_2.csv").symlink_to("nowhere.csv")
    before = runs.outputs(small_store)
    result = asked("run", "--landing", landing, "--store", small_store)
    assert result.exit_code == 1
    told = _told(result)
    for file in ("pubmed_cut.csv.gz: ", "drugs_2.json: ", "clinical_trials_2.csv: "):
        assert f"\n- {file}" in told
    assert "3 files of the landing zone cannot be read" in told
    assert "outputs of the last good run stand" in told
    assert runs.outputs(small_store) == before
    assert runs.left_over(small_store) == []


@pytest.fixture
def spans_of_the_wrong_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mention finder that is one character off."""
    found = mentions.join_mentions

    def shifted(*arguments: Any) -> pl.LazyFrame:
        import polars as pl

        start, end = (pl.element().struct.field(name) + 1 for name in ("start", "end"))
        others = pl.element().struct.field("text", "by")
        return found(*arguments).with_columns(
            spans=pl.col("spans").list.eval(pl.struct(start, end, others))
        )

    monkeypatch.setattr(mentions, "join_mentions", shifted)


@pytest.mark.slow
@pytest.mark.usefixtures("spans_of_the_wrong_place")
def test_failed_blocking_check_exits_with_1_and_releases_nothing(
    small_store: Path, tmp_path: Path
) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    before = runs.outputs(small_store)
    result = asked("run", "--landing", landing, "--store", small_store)
    assert result.exit_code == 1
    told = _told(result)
    assert "failed: mentions: spans_spell_their_drug: " in told
    assert "Outputs in" not in told
    assert runs.outputs(small_store) == before
    assert runs.left_over(small_store) == []


@pytest.fixture
def mentions_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mention finder that breaks its contract."""
    import polars as pl

    found = mentions.join_mentions
    monkeypatch.setattr(mentions, "join_mentions", lambda *given: pl.concat([found(*given)] * 2))


@pytest.mark.slow
@pytest.mark.usefixtures("mentions_twice")
def test_broken_contract_exits_with_1_and_names_table_and_rule(
    small_store: Path, tmp_path: Path
) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    before = runs.outputs(small_store)
    result = asked("run", "--landing", landing, "--store", small_store)
    assert result.exit_code == 1
    assert "mentions was not written: it breaks primary_key (8 rows)" in _told(result)
    assert runs.outputs(small_store) == before


@pytest.mark.slow
def test_empty_landing_zone_releases_nothing_unless_it_is_meant(
    small_store: Path, tmp_path: Path
) -> None:
    landing = runs.landing_zone(tmp_path / "landing", {"README.md": "nothing yet"})
    before = runs.outputs(small_store)
    new = tmp_path / "new"
    for store in (new, small_store):
        refused = asked("run", "--landing", landing, "--store", store)
        assert refused.exit_code == 1
        told = _told(refused)
        assert "failed: landed_files: every_source_landed: no row of drugs, pubmed" in told
        assert "--allow-empty drugs --allow-empty pubmed" in told
    assert not (new / "latest").exists()
    assert runs.outputs(small_store) == before
    allowed = [f"--allow-empty={source}" for source in ("drugs", "pubmed", "clinical_trials")]
    result = asked("run", "--landing", landing, "--store", new, *allowed)
    assert result.exit_code == 0, _told(result)
    assert json.loads((new / "latest" / "graph.json").read_text()) == []
    answer = asked("top-journal", "--graph", new / "latest" / "graph.json")
    assert (answer.exit_code, answer.stdout) == (0, "No journal mentions any drug.\n")


@pytest.mark.slow
def test_files_passed_over_are_named_and_do_not_fail_the_run(tmp_path: Path) -> None:
    landing = runs.landing_zone(
        tmp_path / "landing",
        {
            **runs.SMALL,
            "Bücher [1].csv": "a,b\n",
            "pubmed.parquet": b"PAR1",
            "clinical_trials é/été.csv": "id,title\nNCT3,On ethanol\n",
            ".hidden": "x",
        },
    )
    result = asked("run", "--landing", landing, "--store", tmp_path / "store")
    assert result.exit_code == 0, _told(result)
    told = _told(result)
    assert "not read: Bücher [1].csv: belongs to no source" in told
    assert "not read: pubmed.parquet: its format is not read" in told
    assert "every_file_is_read: 2 files not read" in told
    assert ".hidden" not in told


@pytest.mark.slow
def test_interrupted_run_exits_with_1_without_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = runs.landing_zone(tmp_path / "landing")
    found = mentions.join_mentions

    def interrupted(*arguments: Any) -> pl.LazyFrame:
        os.kill(os.getpid(), signal.SIGINT)
        return found(*arguments)

    monkeypatch.setattr(mentions, "join_mentions", interrupted)
    result = asked("run", "--landing", landing, "--store", tmp_path / "store")
    assert result.exit_code == 1
    assert "interrupted" in _told(result)
    assert "Traceback" not in _told(result)
    assert not (tmp_path / "store" / "latest").exists()
    assert runs.left_over(tmp_path / "store") == []


@pytest.mark.slow
def test_run_names_few_of_many_related_drugs(tmp_path: Path) -> None:
    names = [f"drug{letter}" for letter in "abcdefghijkl"]
    landing = tmp_path / "landing"
    landing.mkdir()
    rows = [f"A04AD,{name}" for name in names]
    (landing / "drugs.csv").write_text("\n".join(["atccode,drug", *rows, ""]))
    rows = [f"1,On {' '.join(names)},2020-01-01,Letters of Tests"]
    (landing / "pubmed.csv").write_text("\n".join(["id,title,date,journal", *rows, ""]))
    result = asked("run", "--landing", landing, "--store", tmp_path / "store")
    assert result.exit_code == 0, result.output
    assert f"Drugs related to druga: {', '.join(names[1:11])} and 1 more\n" in result.output


@pytest.mark.slow
def test_drugs_of_a_long_list_that_no_title_names_are_released_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"drugs_2.csv": "atccode,drug,synonyms\nP01BC01,QUININE,chinin|quinina\n"}
    landing = runs.landing_zone(tmp_path / "landing", {**runs.SMALL, **more})
    store = ("--store", tmp_path / "store")
    run = ("run", "--landing", landing, *store, "--only-if-changed")
    answers = []
    for most, left_out in (("4", []), ("3", ["QUININE"])):
        monkeypatch.setenv("DRUG_ASSETS_GRAPH_DRUGS", most)
        done = asked(*run)
        assert done.exit_code == 0, done.output
        assert "Nothing changed" not in done.output, "the setting is one of the rules"
        current = runs.current(tmp_path / "store")
        graph = json.loads((current / "graph.json").read_text())
        names = json.loads((current / "names.json").read_text())
        assert [drug["drug"] for drug in names] == left_out
        assert len(graph) + len(names) == 4
        assert "Nothing changed" in asked(*run).output
        known = asked("related-drugs", "Chinin", *store)
        unknown = asked("related-drugs", "quininas", *store)
        answers.append((known.stdout, unknown.stderr))
    assert answers[0] == answers[1]
    assert "'quininas'" in answers[0][1]
    assert answers[0][0] == "No drug shares a PubMed journal with QUININE.\n"


@pytest.mark.slow
def test_rules_find_mentions_only_where_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = "id,title,date,journal\n1,Aspirin (ASP) and ASP in rats,2020,A\n2,K+ and ASP,2020,A\n"
    landing = runs.landing_zone(tmp_path / "landing", {**runs.SMALL, "pubmed_9.csv": titles})
    run = ("run", "--landing", landing, "--store", tmp_path / "store", "--only-if-changed")
    found = []
    for rules in ("", "ion, abbreviation", "abbreviation ion"):
        monkeypatch.setenv("DRUG_ASSETS_MENTION_RULES", rules)
        done = asked(*run)
        assert done.exit_code == 0, done.output
        graph = json.loads((runs.current(tmp_path / "store") / "graph.json").read_text())
        mentions = [mention for drug in graph for mention in drug["mentions"]]
        found.append([mention for mention in mentions if "(ASP)" in mention["title"]])
    assert "Nothing changed" in done.output, "the same rules, written in another way"
    ((by_name,), (by_rule,), _) = found
    assert (by_name["spans"], "rules" in by_name) == ([[0, 7]], False)
    assert by_rule["spans"] == [[0, 7], [9, 12], [18, 21]]
    assert by_rule["rules"] == [
        {"by": "abbreviation", "span": each} for each in ([9, 12], [18, 21])
    ]


# Releases


@pytest.mark.slow
def test_earlier_release_can_be_asked_and_made_current_again(
    small_store: Path, tmp_path: Path
) -> None:
    more = {"pubmed_2.csv": "id,title,date,journal\n9,Aspirin again,2021,News of Tests\n"}
    landing = runs.landing_zone(tmp_path / "landing", {**runs.SMALL, **more})
    places = ("--landing", landing, "--store", small_store)
    assert asked("run", *places).exit_code == 0
    store = ("--store", small_store)
    newest, earlier = json.loads(asked("releases", *store, "--json").stdout)
    assert (newest["state"], earlier["state"]) == ("current", None)
    assert (newest["files"], newest["mentions"], earlier["mentions"]) == (4, 5, 4)
    assert newest["checks"] == earlier["checks"] > 20
    lines = asked("releases", *store).stdout.splitlines()
    assert lines[0].startswith(f"{newest['release']}  current      4 files landed, 5 mentions, ")
    assert len(lines) == 2

    now = asked("related-drugs", "aspirin", *store)
    then = asked("related-drugs", "aspirin", *store, "--release", earlier["release"])
    assert now.exit_code == then.exit_code == 0
    # With the article of the newest release, aspirin has one journal more.
    assert "PARACETAMOL (in 1 journal, 1.5 × chance: " in now.stdout
    assert "PARACETAMOL (in 1 journal, 2.0 × chance: " in then.stdout
    missing = asked("top-journal", *store, "--release", "1")
    assert missing.exit_code == 2
    assert "`drug-assets releases` lists them" in missing.stderr
    both = asked("top-journal", *store, "--graph", small_store / "latest" / "graph.json")
    assert (both.exit_code, "leave out --store and --release" in both.stderr) == (2, True)

    back = asked("rollback", earlier["release"], *store)
    assert back.exit_code == 0, _told(back)
    assert runs.current(small_store).name == earlier["release"]
    unchanged = asked("run", "--only-if-changed", *places)
    assert "Nothing changed" in unchanged.stdout, "a run without changes undoes no rollback"
    assert runs.current(small_store).name == earlier["release"]
    again = asked("rollback", earlier["release"], *store)
    assert (again.exit_code, "is the current release already" in again.stderr) == (1, True)
    assert asked("rollback", "--resume", *store).exit_code == 0
    assert runs.current(small_store).name == newest["release"]
    for words in ([], [newest["release"], "--resume"]):
        assert asked("rollback", *words, *store).exit_code == 2


def test_store_without_a_release_says_what_to_do(tmp_path: Path) -> None:
    assert asked("releases", "--store", tmp_path).stdout == (
        "There is no release yet: run `drug-assets run`.\n"
    )
    refused = asked("rollback", "1", "--store", tmp_path)
    assert (refused.exit_code, "there is no release 1" in refused.stderr) == (1, True)
