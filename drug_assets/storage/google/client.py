"""Google's clients: one per service and process, with readable errors.

Objects belong to `bucket`, tables to `dataset`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage  # type: ignore[attr-defined, import-untyped, unused-ignore]
from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
    DataCorruption,
    InvalidResponse,
)

from drug_assets.storage.objects import StorageError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.cloud import bigquery

#: Seconds to connect, and to wait for the next bytes of a response.
TIMEOUT = (10.0, 60.0)

#: By the address of the emulator, None for the service: a client holds connections and a login.
_STORAGE_CLIENTS: dict[str | None, storage.Client] = {}


def storage_client(make: Callable[[], storage.Client] = storage.Client) -> storage.Client:
    """The Cloud Storage client of this process.

    If STORAGE_EMULATOR_HOST is set, the client needs no credentials.

    Args:
        make: makes the client, the first time.

    Raises:
        StorageError: there is no Google login.
    """
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    if emulator not in _STORAGE_CLIENTS:
        with explain_errors("Cloud Storage"):
            _STORAGE_CLIENTS[emulator] = make()
    return _STORAGE_CLIENTS[emulator]


def bigquery_client(project: str) -> bigquery.Client:
    """The BigQuery client of this process for a project.

    If BIGQUERY_EMULATOR_HOST is set, the client uses that emulator.

    Raises:
        StorageError: there is no Google login.
    """
    with explain_errors(f"BigQuery in project {project}"):
        return _bigquery_client(project, os.environ.get("BIGQUERY_EMULATOR_HOST"))


@cache
def _bigquery_client(project: str, emulator: str | None) -> bigquery.Client:
    """The client, made once per process; a client of an emulator needs no credentials."""
    from google.cloud import bigquery

    if emulator:
        anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return bigquery.Client(project=project, credentials=anonymous)
    return bigquery.Client(project=project)


@contextmanager
def explain_errors(place: str) -> Iterator[None]:
    """Explain a missing login, a failure that outlasts all retries, and damaged bytes.

    NotFound, Forbidden and Unauthorized pass through: their meaning depends on the call.

    Raises:
        StorageError: one of these happened; the message explains what to do.
        UnavailableError: one that can pass happened.
    """
    try:
        yield
    except (api.NotFound, api.Forbidden, api.Unauthorized):
        raise
    except auth.GoogleAuthError as error:
        raise StorageError(
            f"{place} needs a Google login: run `gcloud auth application-default login`, or name a "
            f"service account's key file in GOOGLE_APPLICATION_CREDENTIALS. It failed with: {error}"
        ) from error
    except DataCorruption as error:
        raise UnavailableError(
            f"{place} arrived damaged, its checksum differs: run again"
        ) from error
    except (
        api.GoogleAPIError,
        InvalidResponse,
        requests.RequestException,
        ConnectionError,
    ) as error:
        cause = getattr(error, "cause", None) or error
        raise UnavailableError(
            f"{place} cannot be reached or refuses the call, after all retries: {cause}"
        ) from error


def name_account(client: object) -> str:
    """The account that a client is logged in with, as messages name it."""
    email = getattr(getattr(client, "_credentials", None), "service_account_email", None)
    return str(email) if email and email != "default" else "the account you are logged in with"
