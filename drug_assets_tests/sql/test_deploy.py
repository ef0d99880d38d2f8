"""The deployment of what `warehouse_sql` describes, and what it says when it fails."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from drug_assets import warehouse_sql
from drug_assets.storage.objects import StorageError
from drug_assets.warehouse_sql import deploy as deploying
from drug_assets.warehouse_sql.deploy import KINDS, READ_TABLES, deploy, describe, fill_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drug_assets_tests.support.dataset import Dataset

FOLDER = Path(str(warehouse_sql.__file__)).parent
FILES = sorted(file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.sql"))
VIEWS = [file for file in FILES if "views/" in file]


@pytest.fixture(scope="module")
def deployed(dataset: Dataset) -> list[str]:
    return dataset.deploy()


def test_every_file_is_deployed_what_is_needed_first(deployed: list[str]) -> None:
    assert sorted(f"{name}.sql" for name in deployed) == FILES
    kinds = [name.partition("/")[0] for name in deployed]
    assert tuple(dict.fromkeys(kinds)) == KINDS


@pytest.mark.usefixtures("deployed")
def test_each_file_makes_what_it_is_named_for(dataset: Dataset) -> None:
    tables = {table.table_id.lower() for table in dataset.client.list_tables(dataset.name)}
    routines = {r.reference.routine_id for r in dataset.client.list_routines(dataset.name)}
    assert {Path(file).stem for file in FILES} <= tables | routines


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("file", VIEWS)
def test_a_view_has_the_columns_that_its_query_has_alone(dataset: Dataset, file: str) -> None:
    """Terraform makes a view of the query, without the list of columns before it."""
    statement = fill_statements(dataset.project, dataset.name)[file]
    query = re.search(r"\nAS\n(.*);\s*$", statement, re.DOTALL)
    assert query
    alone = dataset.client.query(query[1]).result(timeout=600).schema
    view = dataset.client.query(
        f"SELECT * FROM `{dataset.project}.{dataset.name}.{Path(file).stem}`"  # noqa: S608
    )
    columns = [(column.name, column.field_type) for column in view.result(timeout=600).schema]
    assert columns == [(column.name, column.field_type) for column in alone]
    listed = statement.partition("OPTIONS (\n  description")[0].partition("(")[2]
    assert [name for name, _ in columns] == re.findall(r"^  (\w+) OPTIONS", listed, re.MULTILINE)


@pytest.mark.usefixtures("deployed")
def test_views_that_terraform_made_get_the_descriptions_of_their_columns(dataset: Dataset) -> None:
    # The emulator's views have none either; one is missing, as the sales views may be.
    dataset.rows("DROP VIEW {rejected_sales}")
    before = {file: _columns_of(dataset, file) for file in VIEWS if "rejected_sales" not in file}
    described = describe(dataset.client, dataset.project, dataset.name)
    assert described == [Path(file).stem for file in sorted(before, key=_kind)]
    for file, columns in before.items():
        text = (FOLDER / file).read_text(encoding="utf-8").partition("\nAS\n")[0]
        now = dataset.client.get_table(f"{dataset.project}.{dataset.name}.{Path(file).stem}")
        assert [(column.name, column.field_type) for column in now.schema] == columns
        for column in now.schema:
            assert column.description, column.name
            assert f"description = '{column.description}'" in text
    # A second time, nothing is changed.
    assert describe(dataset.client, dataset.project, dataset.name) == []
    dataset.deploy()


def _kind(file: str) -> tuple[int, str]:
    kind, _, name = file.partition("/")
    return KINDS.index(kind), name


def _columns_of(dataset: Dataset, file: str) -> list[tuple[str, str]]:
    view = dataset.client.get_table(f"{dataset.project}.{dataset.name}.{Path(file).stem}")
    assert not any(column.description for column in view.schema)
    return [(column.name, column.field_type) for column in view.schema]


def test_a_view_that_may_not_be_described_is_said_with_the_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Refusal, "may_list", False)
    with (
        refusing() as client,
        pytest.raises(StorageError, match=r"mentions_flat may not be.*Data Editor on prj\.dst"),
    ):
        describe(client, "prj", "dst")


@pytest.mark.parametrize("file", FILES)
def test_no_file_needs_a_dollar_sign(file: str) -> None:
    """It is written $$, which Terraform would leave doubled: patterns end with \\z instead."""
    assert "$$" not in (FOLDER / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_no_cast_has_a_type_with_parameters(file: str) -> None:
    """BigQuery: "Parameterized types are not allowed in CAST expressions"; the emulator differs."""
    statement = re.sub(r"--.*", "", (FOLDER / file).read_text(encoding="utf-8"))
    assert not re.search(r"\bAS\s+(?:BIG)?(?:NUMERIC|STRING|BYTES)\s*\(", statement)


def test_deploying_twice_is_deploying_once(dataset: Dataset, deployed: list[str]) -> None:
    assert dataset.deploy() == deployed


@pytest.mark.parametrize("file", FILES)
def test_each_file_begins_by_saying_what_it_is_and_costs(file: str) -> None:
    header = re.match(r"(--.*\n)+", (FOLDER / file).read_text(encoding="utf-8"))
    assert header, file
    assert Path(file).stem in header[0].partition("\n")[0].lower()
    assert "-- Cost: " in header[0]


@pytest.mark.parametrize("file", FILES)
def test_everything_is_named_by_project_and_dataset(file: str) -> None:
    """A name without them would mean another dataset in somebody else's query."""
    statement = re.sub(r"--.*", "", fill_statements("prj", "dst", sales_dataset="sales")[file])
    names = re.findall(r"`([^`]+)`", statement)
    assert names
    assert {name.rpartition(".")[0] for name in names} <= {"prj.dst", "prj.sales"}


def test_the_sales_may_lie_in_a_dataset_of_their_own(dataset: Dataset) -> None:
    dataset.client.create_dataset("sales_elsewhere")
    deploy(dataset.client, dataset.project, dataset.name, sales_dataset="sales_elsewhere")
    dataset.rows(
        f"INSERT INTO `{dataset.project}.sales_elsewhere.TRANSACTIONS` "  # noqa: S608
        "VALUES (DATE '2019-02-03', 1, 1, 1, NUMERIC '2.5', 2)"
    )
    assert len(dataset.rows("SELECT * FROM {revenue_per_day}(NULL, NULL)")) == 1


def test_a_missing_dataset_is_said_with_what_makes_it(dataset: Dataset) -> None:
    with pytest.raises(StorageError, match=r"nowhere.*drug-assets run"):
        deploy(dataset.client, dataset.project, "nowhere")


def test_missing_tables_are_said_before_anything_is_made(dataset: Dataset) -> None:
    dataset.client.create_dataset("half_made")
    with pytest.raises(StorageError, match="no tables drugs, journal_drugs, mentions"):
        deploy(dataset.client, dataset.project, "half_made")
    assert not list(dataset.client.list_tables("half_made"))


def test_the_tables_looked_for_are_those_the_statements_read() -> None:
    read = re.findall(
        r"(?:FROM|JOIN) `prj\.dst\.(\w+)`",
        "".join(fill_statements("prj", "dst", sales_dataset="s").values()),
    )
    assert set(read) - {Path(file).stem for file in FILES} == READ_TABLES


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to put statements into, in place of the project's own."""
    for kind in KINDS:
        (tmp_path / kind).mkdir()
    monkeypatch.setattr(deploying, "FOLDER", tmp_path)
    return tmp_path


def test_a_statement_that_fails_is_named(dataset: Dataset, only: Path) -> None:
    (only / "views" / "broken.sql").write_text("CREATE VIEW AS")
    with pytest.raises(StorageError, match=r"views/broken\.sql failed"):
        deploy(dataset.client, dataset.project, dataset.name)


@pytest.mark.parametrize("text", ["SELECT ${other}", "SELECT '$'"])
def test_a_placeholder_that_nothing_fills_is_said(only: Path, text: str) -> None:
    (only / "views" / "odd.sql").write_text(text)
    with pytest.raises(StorageError, match=r"views/odd\.sql.*\$\{sales_dataset\}"):
        fill_statements("prj", "dst")


class Refusal(BaseHTTPRequestHandler):
    """A BigQuery that lists the tables only to those who have `may_list`, and runs nothing."""

    may_list = False

    def do_GET(self) -> None:
        project, dataset = "prj", "dst"
        references = [
            {"projectId": project, "datasetId": dataset, "tableId": table} for table in READ_TABLES
        ]
        listed = {"tables": [{"tableReference": reference} for reference in references]}
        self.answer(listed if self.may_list else None)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(None)

    def answer(self, reply: dict[str, Any] | None) -> None:
        denied = {"code": 403, "message": "denied", "errors": [{"reason": "accessDenied"}]}
        body = json.dumps({"error": denied} if reply is None else reply).encode()
        self.send_response(403 if reply is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing to standard error."""


@contextmanager
def refusing() -> Iterator[bigquery.Client]:
    """A client of `Refusal`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with bigquery.Client(
            project="prj",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": f"http://127.0.0.1:{server.server_port}"},
        ) as client:
            yield client
        server.shutdown()


@pytest.mark.parametrize(
    ("may_list", "message"),
    [
        (False, r"prj\.dst may not be listed.*Data Editor"),
        (True, r"tables/.* was refused.*Job User on prj and BigQuery Data Editor on prj\.dst"),
    ],
)
def test_a_missing_permission_is_said_with_the_role_that_gives_it(
    monkeypatch: pytest.MonkeyPatch, may_list: bool, message: str
) -> None:
    monkeypatch.setattr(Refusal, "may_list", may_list)
    with refusing() as client, pytest.raises(StorageError, match=message):
        deploy(client, "prj", "dst")


class BigQuery(BaseHTTPRequestHandler):
    """A BigQuery that has these tables, and runs every statement but those with a certain word."""

    tables: ClassVar[list[str]] = []
    refused: ClassVar[str | None] = None
    error: ClassVar[dict[str, Any]] = {}
    ran: ClassVar[list[tuple[str | None, str]]] = []

    def do_GET(self) -> None:
        if "/tables" in self.path:
            references = [
                {"projectId": "prj", "datasetId": "dst", "tableId": table} for table in self.tables
            ]
            self.answer({"tables": [{"tableReference": reference} for reference in references]})
            return
        self.answer({"jobComplete": True, "totalRows": "0", "jobReference": JOB})

    def do_POST(self) -> None:
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        statement = job["configuration"]["query"]["query"]
        if self.refused and self.refused in statement:
            self.answer({"error": self.error}, self.error["code"])
            return
        self.ran.append((job["jobReference"].get("location"), statement))
        state = {"status": {"state": "DONE"}, "statistics": {"query": {}}}
        self.answer({**job, **state})

    def answer(self, reply: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing to standard error."""


JOB = {"projectId": "prj", "jobId": "job", "location": "EU"}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """A client of `BigQuery`."""
    monkeypatch.setattr(BigQuery, "tables", sorted(READ_TABLES))
    monkeypatch.setattr(BigQuery, "ran", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), BigQuery) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with bigquery.Client(
            project="prj",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": f"http://127.0.0.1:{server.server_port}"},
        ) as client:
            yield client
        server.shutdown()
        thread.join()


STATEMENTS = [
    *("tables/product_nomenclature", "tables/transactions", "functions/folded_name"),
    *("views/mentions_flat", "views/released_tables", "views/sales_lines"),
    "views/trial_result_mentions",
    "table_functions/drugs_in_same_journals",
    "table_functions/furniture_and_decoration_per_client",
    "table_functions/revenue_per_day",
    "table_functions/top_journals",
    "table_functions/top_journals_of_class",
    *("function_views/rejected_sales", "function_views/top_journal_view"),
]


@pytest.mark.parametrize("location", ["EU", None])
def test_statements_run_in_order_where_the_datasets_are(
    service: bigquery.Client, location: str | None
) -> None:
    deployed = deploy(service, "prj", "dst", sales_dataset="sales", location=location)
    assert deployed == STATEMENTS
    statements = fill_statements("prj", "dst", sales_dataset="sales")
    assert list(statements) == [f"{name}.sql" for name in STATEMENTS]
    assert BigQuery.ran == [(location, statement) for statement in statements.values()]


def test_the_sales_are_in_the_same_dataset_unless_said() -> None:
    assert fill_statements("prj", "dst") == fill_statements("prj", "dst", sales_dataset="dst")
    sales = fill_statements("prj", "dst", sales_dataset="shop")["tables/transactions.sql"]
    assert "`prj.shop.TRANSACTIONS`" in sales


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            {"code": 400, "message": "Syntax error\n\nhere", "errors": [{"reason": "invalid"}]},
            "views/mentions_flat.sql failed: ",
        ),
        (
            {"code": 403, "message": "not you", "errors": [{"reason": "accessDenied"}]},
            "views/mentions_flat.sql was refused: ",
        ),
    ],
)
def test_the_first_statement_that_fails_is_the_last(
    service: bigquery.Client, monkeypatch: pytest.MonkeyPatch, error: dict[str, Any], told: str
) -> None:
    monkeypatch.setattr(BigQuery, "refused", "prj.dst.mentions_flat` ")
    monkeypatch.setattr(BigQuery, "error", error)
    with pytest.raises(StorageError) as raised:
        deploy(service, "prj", "dst")
    assert str(raised.value).startswith(told)
    assert error["message"].partition("\n")[0] in str(raised.value)
    assert "\n" not in str(raised.value)
    roles = ". It takes the roles BigQuery Job User on prj and BigQuery Data Editor on prj.dst"
    assert str(raised.value).endswith(roles) == (error["code"] == 403)
    assert len(BigQuery.ran) == STATEMENTS.index("views/mentions_flat")


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ([], "drugs, journal_drugs, mentions, releases, trial_publications"),
        (["mentions", "top_journal"], "drugs, journal_drugs, releases, trial_publications"),
        (["drugs", "mentions", "releases", "trial_publications"], "journal_drugs"),
    ],
)
def test_all_missing_tables_are_named_and_nothing_runs(
    service: bigquery.Client, monkeypatch: pytest.MonkeyPatch, there: list[str], missing: str
) -> None:
    monkeypatch.setattr(BigQuery, "tables", there)
    with pytest.raises(StorageError) as raised:
        deploy(service, "prj", "dst")
    assert str(raised.value) == (
        f"prj.dst has no tables {missing}: `drug-assets run` with DRUG_ASSETS_ENV=bigquery makes "
        "them; then deploy"
    )
    assert BigQuery.ran == []


@pytest.mark.parametrize("text", ["SELECT ${other}", "SELECT '$'"])
def test_a_wrong_placeholder_is_said_with_all_that_there_are(only: Path, text: str) -> None:
    (only / "views" / "odd.sql").write_text(text)
    with pytest.raises(StorageError) as raised:
        fill_statements("prj", "dst")
    assert str(raised.value).startswith("views/odd.sql: ")
    assert str(raised.value).endswith(
        " is not a placeholder; there are ${project}, ${dataset}, ${sales_dataset}, and a dollar "
        "sign is written $$"
    )
    (only / "views" / "odd.sql").write_text("SELECT '$$', '${project}'")
    assert fill_statements("prj", "dst") == {"views/odd.sql": "SELECT '$', 'prj'"}
