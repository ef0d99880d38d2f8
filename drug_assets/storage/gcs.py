"""Objects of a Google Cloud Storage bucket, through the official client.

An upload makes one whole object from a finished local file, its checksum verified by the service: a
reader or a crash never meets half of it. Every call has a time-out and bounded retries with
growing, jittered waits; every call may be repeated without harm, since one run at a time writes and
the same bytes go under the same name. What people do not have (a bucket, a role, a login) is named.

Google's modules are imported with this module and nowhere else in `storage` but in `bigquery`, and
both only where a `gs://` location or that environment is chosen. What the objects mean does not
belong here.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import google_crc32c
import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud import storage  # type: ignore[attr-defined, import-untyped, unused-ignore]
from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
    DataCorruption,
    InvalidResponse,
)
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

from drug_assets.storage.objects import ChangedObjectError, StorageError, StoredObject

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds to connect, and to wait for the next bytes of an answer.
TIMEOUT = (10.0, 60.0)
#: On 408, 429, 5xx, time-outs and broken connections, of uploads too: see the module's docstring.
RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=20.0, multiplier=2.0).with_timeout(180.0)

_SCHEME = "gs://"
_LISTED = "items(name,size,generation,updated,md5Hash,crc32c),nextPageToken"
_HASH_CHUNK = 1 << 20


class Bucket:
    """Objects are those of a bucket whose names begin with a prefix, which is left out of names."""

    def __init__(self, client: storage.Client, bucket: str, prefix: str = "") -> None:
        """Use `gs://bucket/prefix` through a client."""
        self._bucket = client.bucket(bucket)
        self._client = client
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @classmethod
    def at(cls, location: str, client: storage.Client | None = None) -> Bucket:
        """The place that `gs://bucket/prefix` names, with the login of the machine.

        Raises:
            StorageError: the location names no bucket, or nobody is logged in.
        """
        bucket, _, prefix = location.removeprefix(_SCHEME).partition("/")
        if not location.startswith(_SCHEME) or not bucket:
            raise StorageError(f"{location} names no bucket: it should be gs://bucket/prefix")
        with explained(location):
            return cls(client or _client(os.environ.get("STORAGE_EMULATOR_HOST")), bucket, prefix)

    def uri(self, name: str = "") -> str:
        """The `gs://` URI of an object."""
        return f"{_SCHEME}{self._bucket.name}/{self._prefix}{name}".rstrip("/")

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All objects whose name starts so, in one listing: a request for a thousand of them."""
        with self._explained(writing=False):
            found = [
                StoredObject(
                    blob.name.removeprefix(self._prefix),
                    blob.size or 0,
                    str(blob.generation),
                    blob.updated,
                    _content(blob),
                )
                for blob in self._client.list_blobs(
                    self._bucket,
                    prefix=self._prefix + prefix,
                    fields=_LISTED,
                    timeout=TIMEOUT,
                    retry=RETRY,
                )
                # The console makes empty objects of such names to show folders.
                if not blob.name.endswith("/")
            ]
        return sorted(found)

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of an object as they are stored, its checksum verified."""
        try:
            with self._explained(name, writing=False):
                data: bytes = self._blob(name, version).download_as_bytes(
                    raw_download=True, timeout=TIMEOUT, retry=RETRY
                )
        except FileNotFoundError as error:
            if version is None:
                raise
            raise ChangedObjectError(self.uri(name)) from error
        return data

    def content_id(self, found: StoredObject) -> str:
        """The MD5 that the service keeps; for a composed object, which has none, its CRC32C too.

        No byte is read. A CRC32C alone tells too few contents apart, hence the generation with it.
        """
        if found.content is None:
            raise ValueError(f"{found.name} was not listed by this bucket")
        return found.content

    def local_copy(self, name: str, version: str | None = None) -> Path:
        """A file of this process's own, kept for each version, its checksum verified.

        Of the current version if none is given. What this process itself put is not loaded again.
        """
        with self._explained(name, writing=False):
            if version is None:
                blob = self._blob(name)
                blob.reload(timeout=TIMEOUT, retry=RETRY)
                version = str(blob.generation)
            cached = self._cached(name, version)
            if cached.exists():
                return cached
            partial = self.scratch(name)
            try:
                self._blob(name, version).download_to_filename(
                    str(partial), raw_download=True, timeout=TIMEOUT, retry=RETRY
                )
                partial.replace(cached)
            finally:
                partial.unlink(missing_ok=True)
        return cached

    def scratch(self, name: str) -> Path:
        """A path in this process's own folder, on the disk that TMPDIR names."""
        return process_folder() / f"{secrets.token_hex(8)}{PurePosixPath(name).suffix}"

    def put(self, finished: Path, name: str) -> None:
        """Upload a file as one object; above 8 MiB in chunks, taken up again where they broke off.

        The service compares the checksum before the object appears.
        """
        with self._explained(name, writing=True):
            blob = self._blob(name)
            blob.upload_from_filename(
                str(finished),
                timeout=TIMEOUT,
                retry=RETRY,
                crc32c_checksum_value=_crc32c(finished),
            )
        shutil.move(finished, self._cached(name, str(blob.generation)))

    def move(self, name: str, new_name: str) -> None:
        """Copy inside the service, then delete; cut off in between, it can be done again."""
        with self._explained(name, writing=True):
            source, target = self._blob(name), self._blob(new_name)
            token, _, _ = target.rewrite(source, timeout=TIMEOUT, retry=RETRY)
            while token is not None:
                token, _, _ = target.rewrite(source, token=token, timeout=TIMEOUT, retry=RETRY)
        self.delete(name)

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        try:
            with self._explained(name, writing=True):
                self._blob(name).delete(timeout=TIMEOUT, retry=RETRY)
        except FileNotFoundError:
            pass

    def _blob(self, name: str, generation: str | None = None) -> storage.Blob:
        return self._bucket.blob(self._prefix + name, generation=generation)

    def _cached(self, name: str, generation: str) -> Path:
        key = hashlib.sha256(self.uri(name).encode()).hexdigest()[:24]
        return process_folder() / f"{key}-{generation}{PurePosixPath(name).suffix}"

    @contextmanager
    def _explained(self, name: str = "", *, writing: bool) -> Iterator[None]:
        """Turn what the service refuses into what a person can do about it."""
        bucket = self._bucket.name
        role = "roles/storage.objectUser" if writing else "roles/storage.objectViewer"
        try:
            with explained(self.uri(name)):
                yield
        except api.NotFound as error:
            # A name that is not there is the caller's to judge; a bucket is not.
            uploading = writing and "/upload/" in str(error)
            if name and not uploading and "bucket does not exist" not in str(error):
                raise FileNotFoundError(self.uri(name)) from error
            raise StorageError(
                f"there is no bucket {bucket}: name another one, or create it with "
                f"`gcloud storage buckets create gs://{bucket} --location=LOCATION`"
            ) from error
        except (api.Forbidden, api.Unauthorized) as error:
            raise StorageError(
                f"{self.uri(name)} may not be {'written' if writing else 'read'} by "
                f"{who(self._client)}: grant {role} with `gcloud storage buckets "
                f"add-iam-policy-binding gs://{bucket} --member=MEMBER --role={role}`. "
                f"The service says: {error.message}"
            ) from error


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn a missing login, an outage that outlasts all retries, and damaged bytes into words.

    Other answers of the service pass through: they mean what the call makes of them.

    Raises:
        StorageError: with what to do.
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
        raise StorageError(f"{place} arrived damaged, its checksum differs: run again") from error
    except (
        api.GoogleAPIError,
        InvalidResponse,
        requests.RequestException,
        ConnectionError,
    ) as error:
        cause = getattr(error, "cause", None) or error
        raise StorageError(
            f"{place} cannot be reached or refuses the call, after all retries: {cause}"
        ) from error


def who(client: object) -> str:
    """The account that a client is logged in with, as a person would call it."""
    email = getattr(getattr(client, "_credentials", None), "service_account_email", None)
    return str(email) if email and email != "default" else "the account you are logged in with"


@cache
def _client(_emulator: str | None) -> storage.Client:
    """One client a process, and emulator: it holds the connections and the login.

    Where STORAGE_EMULATOR_HOST is set, the client asks nobody for credentials.
    """
    return storage.Client()


@cache
def process_folder() -> Path:
    """Where this process keeps its copies; removed when it ends."""
    folder = tempfile.mkdtemp(prefix="drug-assets-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _content(blob: storage.Blob) -> str:
    if blob.md5_hash:
        return f"md5:{blob.md5_hash}"
    return f"crc32c:{blob.crc32c}:{blob.generation}"


def _crc32c(path: Path) -> str:
    """The checksum as the service writes it."""
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            checksum = google_crc32c.extend(checksum, chunk)
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()
