"""Clients of Google, what they are told to do, and words for their errors: without a service."""

from __future__ import annotations

import base64
import json
import pickle
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import google_crc32c
import pytest
import requests
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.storage.exceptions import DataCorruption  # type: ignore[import-untyped]

from drug_assets.storage.google import bucket as gcs
from drug_assets.storage.google import client as clients
from drug_assets.storage.google import dataset as datasets
from drug_assets.storage.google import tables
from drug_assets.storage.google.client import explain_errors, name_account, storage_client
from drug_assets.storage.google.dataset import Dataset
from drug_assets.storage.google.table_schema import declare_published_tables, declare_table
from drug_assets.storage.google.tables import Tables
from drug_assets.storage.objects import StorageError, StoredObject

if TYPE_CHECKING:
    from pathlib import Path

    from google.cloud import storage  # type: ignore[attr-defined, import-untyped, unused-ignore]

#: Their classes have no types.
api: Any = api_exceptions
auth: Any = auth_exceptions
ANYBODY = "the account you are logged in with"


# Clients


def account(email: str | None) -> SimpleNamespace:
    return SimpleNamespace(_credentials=SimpleNamespace(service_account_email=email))


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (account("robot@project.iam.gserviceaccount.com"), "robot@project.iam.gserviceaccount.com"),
        (account("default"), ANYBODY),
        (account(None), ANYBODY),
        (account(""), ANYBODY),
        (SimpleNamespace(_credentials=object()), ANYBODY),
        (SimpleNamespace(_credentials=None), ANYBODY),
        (object(), ANYBODY),
    ],
)
def test_an_account_is_named_if_it_has_a_name(client: object, name: str) -> None:
    assert name_account(client) == name


def test_a_client_is_made_once_for_each_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_STORAGE_CLIENTS", {})
    made: list[object] = []

    def make() -> storage.Client:
        made.append(object())
        return made[-1]

    found = []
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:1", None, None):
        if url is None:
            monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
        else:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        found.append(made.index(storage_client(make)))
    assert found == [0, 1, 0, 2, 2]


def test_a_bigquery_client_is_of_its_project_and_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    one, again, other = (clients.bigquery_client(project) for project in ("a", "a", "b"))
    assert one is again
    assert (one.project, other.project) == ("a", "b")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:2")
    assert clients.bigquery_client("a") is not one


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            auth.DefaultCredentialsError("nobody"),
            (
                "there needs a Google login: run `gcloud auth application-default login`, "
                "or name a "
                "service account's key file in GOOGLE_APPLICATION_CREDENTIALS. It failed "
                "with: nobody"
            ),
        ),
        (
            DataCorruption(None, "odd"),
            "there arrived damaged, its checksum differs: run again",
        ),
        (
            api.ServiceUnavailable("busy"),
            "there cannot be reached or refuses the call, after all retries: 503 busy",
        ),
        (
            api.RetryError("time is up", ConnectionError("reset")),
            "there cannot be reached or refuses the call, after all retries: reset",
        ),
        (
            requests.ConnectionError("no route"),
            "there cannot be reached or refuses the call, after all retries: no route",
        ),
        (
            ConnectionResetError("reset"),
            "there cannot be reached or refuses the call, after all retries: reset",
        ),
    ],
    ids=["login", "damaged", "busy", "time is up", "no route", "reset"],
)
def test_an_error_of_google_is_explained(error: Exception, told: str) -> None:
    with pytest.raises(StorageError) as raised, explain_errors("there"):
        raise error
    assert str(raised.value) == told
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [api.NotFound("x"), api.Forbidden("x"), api.Unauthorized("x"), ValueError("x")]
)
def test_what_depends_on_the_call_is_left_to_it(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, explain_errors("there"):
        raise error
    assert raised.value is error


# Buckets


def bucket(location: str = "gs://shelf/zone") -> gcs.Bucket:
    """A bucket whose client sends no request."""
    from google.cloud import storage

    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return gcs.Bucket.at(location, storage.Client(project="project", credentials=anonymous))


@pytest.mark.parametrize(
    ("location", "uri"),
    [
        ("gs://shelf", "gs://shelf"),
        ("gs://shelf/", "gs://shelf"),
        ("gs://shelf/zone", "gs://shelf/zone"),
        ("gs://shelf/zone/", "gs://shelf/zone"),
        ("gs://shelf/zone/of/tests", "gs://shelf/zone/of/tests"),
    ],
)
def test_a_location_is_told_as_people_write_it(location: str, uri: str) -> None:
    assert bucket(location).uri() == uri
    assert bucket(location).uri("a/b.csv") == f"{uri}/a/b.csv"


@pytest.mark.parametrize("location", ["gs://", "gs:///zone", "shelf/zone", "s3://shelf"])
def test_a_location_that_names_no_bucket_is_refused(location: str) -> None:
    with pytest.raises(StorageError) as raised:
        bucket(location)
    assert str(raised.value) == f"{location} names no bucket: it should be gs://bucket/prefix"


@pytest.mark.parametrize(
    ("error", "name", "writing", "kind", "told"),
    [
        (api.NotFound("x"), "a", False, FileNotFoundError, "gs://shelf/zone/a"),
        (api.NotFound("x"), "a", True, FileNotFoundError, "gs://shelf/zone/a"),
        (api.NotFound("x"), "", False, StorageError, "there is no bucket shelf: name another"),
        (
            api.NotFound("The specified bucket does not exist."),
            *("a", False, StorageError),
            (
                "there is no bucket shelf: name another one, or create it with "
                "`gcloud storage buckets create gs://shelf --location=LOCATION`"
            ),
        ),
        (api.NotFound("POST /upload/b: x"), "a", True, StorageError, "there is no bucket shelf"),
        (api.NotFound("GET /upload/b: x"), "a", False, FileNotFoundError, "gs://shelf/zone/a"),
        (
            api.Forbidden("not you"),
            *("a", False, StorageError),
            (
                f"gs://shelf/zone/a may not be read by {ANYBODY}: grant roles/storage.objectViewer "
                "with `gcloud storage buckets add-iam-policy-binding gs://shelf --member=MEMBER "
                "--role=roles/storage.objectViewer`. The service says: not you"
            ),
        ),
        (
            api.Unauthorized("who?"),
            *("a", True, StorageError),
            (
                f"gs://shelf/zone/a may not be written by {ANYBODY}: grant "
                f"roles/storage.objectUser "
                "with `gcloud storage buckets add-iam-policy-binding gs://shelf --member=MEMBER "
                "--role=roles/storage.objectUser`. The service says: who?"
            ),
        ),
    ],
)
def test_an_error_of_a_bucket_says_what_to_do(
    error: Exception, name: str, kind: type[Exception], told: str, *, writing: bool
) -> None:
    place = bucket()
    with pytest.raises(kind) as raised, place._explain_errors(name, writing=writing):
        raise error
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize(
    ("md5", "identity"), [("abc", "md5:abc"), (None, "crc32c:xyz:7"), ("", "crc32c:xyz:7")]
)
def test_an_object_without_an_md5_is_told_by_its_checksum_and_generation(
    md5: str | None, identity: str
) -> None:
    blob: Any = SimpleNamespace(md5_hash=md5, crc32c="xyz", generation=7)
    assert gcs._content_identity(blob) == identity


def test_checksums_are_told_as_the_service_tells_them(tmp_path: Path) -> None:
    file, large = tmp_path / "file", b"123456789" * 233_017
    at_once: Any = google_crc32c.Checksum
    of_large = base64.b64encode(at_once(large).digest()).decode()
    for data, checksum in ((b"", "AAAAAA=="), (b"123456789", "4waSgw=="), (large, of_large)):
        file.write_bytes(data)
        assert gcs._crc32c(file) == checksum


class Listing(BaseHTTPRequestHandler):
    """A bucket that is listed in two pages; what Google's console makes of folders is among it."""

    PAGES: ClassVar[list[tuple[str, ...]]] = [
        ("zone/b.csv", "zone/folder/", "zone/"),
        ("zone/folder/a.csv", "zone/a.csv"),
    ]

    def do_GET(self) -> None:
        page = int("pageToken=1" in self.path)
        items = [
            {
                "name": name,
                "size": str(len(name)),
                "generation": "7",
                "updated": "2026-01-02T03:04:05.000Z",
                "md5Hash": name,
            }
            for name in self.PAGES[page]
        ]
        body = json.dumps({"items": items, **({} if page else {"nextPageToken": "1"})}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""


def test_a_bucket_is_listed_to_its_end_without_what_stands_for_folders() -> None:
    from google.cloud import storage

    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    with ThreadingHTTPServer(("127.0.0.1", 0), Listing) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        client = storage.Client(
            project="project",
            credentials=anonymous,
            client_options={"api_endpoint": f"http://127.0.0.1:{server.server_port}"},
        )
        found = gcs.Bucket.at("gs://shelf/zone", client).objects()
        client.close()
        server.shutdown()
        thread.join()
    assert [each.name for each in found] == ["a.csv", "b.csv", "folder/a.csv"]
    written_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found[0] == StoredObject("a.csv", 10, "7", written_at, "md5:zone/a.csv")


# Tables


def client() -> bigquery.Client:
    """A client that sends no request."""
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return bigquery.Client(project="payer", credentials=anonymous)


@pytest.mark.parametrize("table", sorted(declare_published_tables()))
def test_a_load_replaces_the_rows_of_a_declared_table(table: str) -> None:
    declared = declare_table(table)
    config = datasets._load_config(table, declared)
    assert config.labels == {"table": table}, "`jobs` adds those that all jobs have"
    assert (config.source_format, config.create_disposition, config.write_disposition) == (
        *("PARQUET", "CREATE_NEVER", "WRITE_TRUNCATE"),
    )
    assert config.parquet_options.enable_list_inference is True
    assert config.clustering_fields == declared["clustering"]
    assert config.schema == tables.schema_fields(declared)
    assert [field.name for field in config.schema] == [f["name"] for f in declared["schema"]]
    date = declared["partition_by_year"]
    partitioning = config.time_partitioning
    assert (partitioning and (partitioning.field, partitioning.type_)) == (
        (date, "YEAR") if date else None
    )


@pytest.mark.parametrize(
    ("error", "writing", "kind", "told"),
    [
        (api.NotFound("gone"), False, FileNotFoundError, "project.data.drugs"),
        (
            api.NotFound("gone"),
            *(True, StorageError),
            (
                "there is no project project that this login can use, or no dataset "
                "project.data in "
                "that location: set DRUG_ASSETS_BIGQUERY_PROJECT, _DATASET and _LOCATION. "
                "The service "
                "says: gone"
            ),
        ),
        (
            api.Forbidden("not you"),
            *(False, StorageError),
            (
                f"project.data.drugs may not be read by {ANYBODY}: grant "
                f"roles/bigquery.dataViewer on "
                "the dataset project.data (to create the dataset, roles/bigquery.user on the "
                "project). The service says: not you"
            ),
        ),
        (
            api.Unauthorized("who?"),
            *(True, StorageError),
            (
                f"project.data.drugs may not be written by {ANYBODY}: grant "
                f"roles/bigquery.dataEditor "
                "on the dataset project.data, and roles/bigquery.jobUser on the project payer (to "
                "create the dataset, roles/bigquery.user on the project). The service says: who?"
            ),
        ),
        (
            api.ServiceUnavailable("busy"),
            *(True, StorageError),
            (
                "BigQuery table project.data.drugs cannot be reached or refuses the call, "
                "after all "
                "retries: 503 busy"
            ),
        ),
    ],
)
def test_an_error_of_a_table_says_what_to_do(
    error: Exception, kind: type[Exception], told: str, *, writing: bool
) -> None:
    place = Tables(client(), "project", "data", "EU")
    with pytest.raises(kind) as raised, place.explain_errors("drugs", writing=writing):
        raise error
    assert str(raised.value) == told


def test_a_dataset_and_a_bucket_are_opened_anew_in_another_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    dataset = Dataset(client(), "project", "data", "EU")
    again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    assert again.name("drugs") == "project.data.drugs"
    assert again.__reduce__()[1] == ("project", "data", "EU")
    assert pickle.loads(pickle.dumps(bucket())).uri("a") == "gs://shelf/zone/a"  # noqa: S301


class Described:
    """A table as BigQuery has it, and what is updated of it."""

    project = "payer"

    def __init__(self, table: str, **changed: Any) -> None:
        declared = declare_table(table)
        self.found = SimpleNamespace(
            labels=dict(tables.LABELS),
            description=declared["description"],
            schema=tables.schema_fields(declared),
        )
        vars(self.found).update(changed)
        self.updated: list[list[str]] = []

    def get_table(self, _name: str, **_: object) -> object:
        return self.found

    def update_table(self, _table: object, fields: list[str], **_: object) -> None:
        self.updated.append(fields)


@pytest.mark.parametrize(
    ("changed", "updated"),
    [
        ({}, []),
        ({"labels": None}, [["labels"]]),
        ({"labels": {"application": "drug-assets", "managed-by": "terraform"}}, []),
        ({"labels": {**tables.LABELS, "team": "ours"}}, []),
        ({"description": "other"}, [["description"]]),
        ({"schema": []}, [["schema"]]),
        ({"labels": {}, "description": None, "schema": []}, [["labels", "description", "schema"]]),
    ],
)
def test_what_differs_of_a_table_is_updated_and_nothing_else(
    changed: dict[str, Any], updated: list[list[str]]
) -> None:
    """An update of what is as it should be would spend the quota of updates."""
    client: Any = Described("drugs", **changed)
    Tables(client, "project", "data", None).describe("drugs", declare_table("drugs"))
    assert client.updated == updated
    expected = Described("drugs").found
    assert client.found.labels.items() >= {"application": "drug-assets"}.items()
    assert client.found.labels.keys() >= tables.LABELS.keys()
    assert client.found.description == expected.description
    assert client.found.schema == expected.schema
