"""Buckets and datasets of the emulators, as the package reaches them.

The emulators themselves belong to `emulators`; what is stored is for the tests to say.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from google.cloud.storage import Client as StorageClient  # type: ignore[import-untyped]

    from drug_assets_tests.support.emulators import GcsEmulator

_METADATA = "user.metadata"


class WaitlessTime:
    """Time as Google's retries see it: it passes in their waits alone, and at once."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """Seconds that were waited so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Wait, as far as anybody can tell."""
        self._now += seconds


def wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have calls tried again at once, and given up after the waits that they would have made.

    So how often a call is tried depends on no clock, however busy the machine. Not for tests that
    wait for a job: asking for its state again and again would seem to take long, too.
    """
    time = WaitlessTime()
    for retrying in (
        "google.api_core.retry.retry_base",
        "google.api_core.retry.retry_unary",
        "google.resumable_media.requests._request_helpers",
    ):
        monkeypatch.setattr(f"{retrying}.time", time)


def reach(
    monkeypatch: pytest.MonkeyPatch, gcs: str | None = None, bigquery: str | None = None
) -> None:
    """Set the clients' own variables, so that what the package opens is the emulators'."""
    # The client would look at the bucket in a thread of its own, whenever it likes.
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    if gcs:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs)
    if bigquery:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery)


@cache
def _client(gcs: GcsEmulator) -> StorageClient:
    """One client per emulator: one that is thrown away leaves its connections open."""
    return gcs.client()


def new_bucket(gcs: GcsEmulator) -> str:
    """The name of a bucket that nothing lies in."""
    name = f"bucket-{secrets.token_hex(6)}"
    _client(gcs).create_bucket(name)
    return name


def new_dataset() -> str:
    """A name for a dataset that does not exist."""
    return f"dataset_{secrets.token_hex(6)}"


def upload(gcs: GcsEmulator, folder: Path, bucket: str, prefix: str) -> None:
    """Put every file of a folder into a bucket, below a prefix."""
    place = _client(gcs).bucket(bucket)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            blob = place.blob(f"{prefix}/{path.relative_to(folder).as_posix()}")
            blob.upload_from_filename(str(path))


def copy(gcs: GcsEmulator, bucket: str, prefix: str, target: str) -> None:
    """Copy every object below a prefix to another one."""
    place = _client(gcs).bucket(bucket)
    for blob in list(_client(gcs).list_blobs(bucket, prefix=f"{prefix}/")):
        place.copy_blob(blob, place, target + blob.name.removeprefix(prefix))


def contents(gcs: GcsEmulator, bucket: str, prefix: str = "") -> dict[str, bytes]:
    """The bytes of every object of a bucket, by name below the prefix."""
    found = _client(gcs).list_blobs(bucket, prefix=prefix)
    return {blob.name.removeprefix(prefix): blob.download_as_bytes() for blob in found}


def put(gcs: GcsEmulator, uri: str, data: bytes, content_encoding: str | None = None) -> None:
    """Make an object of the name that a `gs://` URI gives."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    blob = _client(gcs).bucket(bucket).blob(name)
    blob.content_encoding = content_encoding
    blob.upload_from_string(data)


def remove(gcs: GcsEmulator, bucket: str, name: str) -> None:
    """Remove an object."""
    _client(gcs).bucket(bucket).blob(name).delete()


def land(
    gcs: GcsEmulator, bucket: str, names: list[str], at: datetime, generation: int | None = None
) -> None:
    """Make objects that were written at one given moment; the service would take its own."""
    place = _client(gcs).bucket(bucket)
    place.blob(names[0]).upload_from_string(b"landed")
    first = gcs.root / bucket / names[0]
    metadata = json.loads(os.getxattr(first, _METADATA))
    metadata["Updated"] = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    metadata["Generation"] = generation or int(at.timestamp() * 1_000_000)
    for name in names:
        path = gcs.root / bucket / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"landed")
        os.setxattr(path, _METADATA, json.dumps(metadata).encode())
