"""Jobs of BigQuery: loads, copies and queries, run to their end.

Every job has an id of ours. If the answer to its start is lost, it is looked up by this id instead
of being started again. A job that failed for reasons of the service is run again under another id,
so a statement must bear being run twice. Errors are those of Google's client; `dataset` words them.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import requests
from google.api_core import exceptions as api
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from drug_assets.storage.google.client import TIMEOUT
from drug_assets.storage.objects import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Job = bigquery.LoadJob | bigquery.CopyJob | bigquery.QueryJob

#: For 429, 5xx, time-outs, broken connections, and jobs that fail for reasons of the service.
RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=20.0, multiplier=2.0).with_timeout(180.0)
#: Seconds that a job may take.
JOB_SECONDS = 3600.0
#: Seconds that one call may take.
CALL_SECONDS = TIMEOUT[1]

#: HTTP codes for an upload session that no longer exists.
_GONE = (404, 410)


class Jobs:
    """Runs jobs in the location of a dataset."""

    def __init__(
        self, client: bigquery.Client, location: str | None, labels: dict[str, str]
    ) -> None:
        """Use a client; all jobs get the labels."""
        self._client = client
        self._location = location
        self._labels = labels

    def load(self, parquet: Path, table: str, config: bigquery.LoadJobConfig) -> None:
        """Load a Parquet file into an existing table.

        Args:
            parquet: the file.
            table: full name of the table.
            config: what the job replaces.
        """
        config.labels = {**self._labels, **(config.labels or {})}

        def start(job_id: str) -> bigquery.LoadJob:
            with parquet.open("rb") as file:
                return self._client.load_table_from_file(
                    file,
                    table,
                    job_id=job_id,
                    project=self._client.project,
                    location=self._location,
                    job_config=config,
                    timeout=TIMEOUT,
                )

        # The table exists, so what is not found is the upload session.
        RETRY(self._run_once)("load", start, lost=_GONE)

    def copy(self, source: str, target: str) -> None:
        """Copy a table with its layout to a name that no table with rows has."""
        config = bigquery.CopyJobConfig(write_disposition=bigquery.WriteDisposition.WRITE_EMPTY)
        config.labels = self._labels

        def start(job_id: str) -> bigquery.CopyJob:
            return self._client.copy_table(
                source,
                target,
                job_id=job_id,
                project=self._client.project,
                location=self._location,
                job_config=config,
                retry=None,  # type: ignore[arg-type]
                timeout=CALL_SECONDS,
            )

        RETRY(self._run_once)("copy", start)

    def query(self, statements: str) -> None:
        """Run statements that return no rows, as one job."""
        config = bigquery.QueryJobConfig(labels=self._labels)

        def start(job_id: str) -> bigquery.QueryJob:
            return self._client.query(
                statements,
                job_id=job_id,
                project=self._client.project,
                location=self._location,
                job_config=config,
                retry=None,  # type: ignore[arg-type]
                job_retry=None,
                timeout=CALL_SECONDS,
            )

        RETRY(self._run_once)("query", start)

    def _run_once(self, kind: str, start: Callable[[str], Job], lost: tuple[int, ...] = ()) -> None:
        """Run a job to its end.

        Args:
            kind: a word for its id.
            start: starts it under an id.
            lost: HTTP codes that mean that the job did not start, and may be started again.
        """
        job_id = f"drug_assets_{kind}_{secrets.token_hex(12)}"
        try:
            job = start(job_id)
        except (api.GoogleAPICallError, requests.RequestException, ConnectionError) as error:
            # The job may have started although the response was lost: then wait for it.
            started = self._find(job_id)
            if started is None and getattr(error, "code", None) in lost:
                raise ConnectionError(f"the upload was lost: {error}") from error
            if started is None:
                raise
            job = started
        deadline, wait = time.monotonic() + JOB_SECONDS, 0.05
        while not job.done(retry=RETRY, timeout=CALL_SECONDS):
            if time.monotonic() > deadline:
                raise StorageError(f"job {job_id} is not done after {JOB_SECONDS:.0f} s")
            time.sleep(wait)
            wait = min(2 * wait, 5.0)
        # A job that is done holds its error: no further call, whose failure would hide the outcome.
        failure = job.exception(timeout=CALL_SECONDS)  # type: ignore[no-untyped-call]
        if failure is not None:
            raise failure

    def _find(self, job_id: str) -> Job | None:
        try:
            job = self._client.get_job(
                job_id, location=self._location, timeout=CALL_SECONDS, retry=RETRY
            )
        except api.GoogleAPICallError:
            return None
        known = (bigquery.LoadJob, bigquery.CopyJob, bigquery.QueryJob)
        return job if isinstance(job, known) else None
