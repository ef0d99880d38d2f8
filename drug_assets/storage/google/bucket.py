"""Objects of a Google Cloud Storage bucket, through the official client.

An upload makes one object from a finished local file, and the service verifies its checksum: a
reader never sees half an object, even after a crash. Every call has a time-out and bounded retries
with growing, jittered waits. A repeated call does no harm, since only one run writes at a time, and
it writes the same bytes under the same name. Errors name a missing bucket, role or login.

This module knows nothing about the content of the objects.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import shutil
from contextlib import contextmanager, nullcontext
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import google_crc32c
from google.api_core import exceptions as api
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]

from drug_assets.storage import copies
from drug_assets.storage.google.client import (
    TIMEOUT,
    explain_errors,
    name_account,
    storage_client,
)
from drug_assets.storage.objects import ChangedObjectError, StorageError, StoredObject
from drug_assets.storage.pointer import POINTER_DOCUMENT, Pointer
from drug_assets.storage.temporary import make_process_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from google.cloud import storage  # type: ignore[attr-defined, import-untyped, unused-ignore]

#: For 408, 429, 5xx, time-outs and broken connections, also of uploads: see the module's docstring.
RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=20.0, multiplier=2.0).with_timeout(180.0)

_SCHEME = "gs://"
_LISTED = "items(name,size,generation,updated,md5Hash,crc32c),nextPageToken"
_HASH_CHUNK = 1 << 20
#: The end of a Parquet file that is copied at first; most footers are smaller.
_FOOTER_BYTES = 1 << 16
#: Behind the footer: its length, and the mark of the format.
_AFTER_FOOTER = 8


class Bucket:
    """A store of the objects in a bucket whose names start with a prefix.

    The names that the store takes and returns do not contain the prefix.
    """

    has_locks = False

    def __init__(self, client: storage.Client, bucket: str, prefix: str = "") -> None:
        """Use `gs://bucket/prefix` through a client."""
        self._bucket = client.bucket(bucket)
        self._client = client
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @classmethod
    def at(cls, location: str, client: storage.Client | None = None) -> Bucket:
        """Open the store at `gs://bucket/prefix`.

        Args:
            location: the URI.
            client: the client to use; if not given, that of this process, with the login of the
                machine.

        Raises:
            StorageError: the location names no bucket, or there is no Google login.
        """
        bucket, _, prefix = location.removeprefix(_SCHEME).partition("/")
        if not location.startswith(_SCHEME) or not bucket:
            raise StorageError(f"{location} names no bucket: it should be gs://bucket/prefix")
        return cls(client or storage_client(), bucket, prefix)

    def __reduce__(self) -> tuple[Callable[[str], Bucket], tuple[str]]:
        """Pickle only the location: another process opens it with its own client."""
        return Bucket.at, (self.uri(),)

    def uri(self, name: str = "") -> str:
        """The `gs://` URI of an object; without a name, that of the prefix."""
        return f"{_SCHEME}{self._bucket.name}/{self._prefix}{name}".rstrip("/")

    def objects(self, prefix: str = "") -> list[StoredObject]:
        """All objects whose name starts with `prefix`; one request lists a thousand of them."""
        with self._explain_errors(writing=False):
            found = [
                StoredObject(
                    blob.name.removeprefix(self._prefix),
                    blob.size or 0,
                    str(blob.generation),
                    blob.updated,
                    _content_identity(blob),
                )
                for blob in self._client.list_blobs(
                    self._bucket,
                    prefix=self._prefix + prefix,
                    fields=_LISTED,
                    timeout=TIMEOUT,
                    retry=RETRY,
                )
                # Google's console creates empty objects with such names to show folders.
                if not blob.name.endswith("/")
            ]
        return sorted(found)

    def read(self, name: str, version: str | None = None) -> bytes:
        """The bytes of an object as they are stored; their checksum is verified.

        Raises:
            FileNotFoundError: there is no such object.
            ChangedObjectError: the object has another version by now.
        """
        try:
            with self._explain_errors(name, writing=False):
                data: bytes = self._blob(name, version).download_as_bytes(
                    raw_download=True, timeout=TIMEOUT, retry=RETRY
                )
        except FileNotFoundError as error:
            if version is None:
                raise
            raise ChangedObjectError(self.uri(name)) from error
        return data

    def content_id(self, found: StoredObject) -> str:
        """The object's MD5; for a composed object, which has none, its CRC32C and generation.

        The service lists both, so no bytes are read. A CRC32C alone is too short to distinguish
        contents reliably, so the generation is added.

        Raises:
            ValueError: the object was not listed by a bucket.
        """
        if found.content is None:
            raise ValueError(f"{found.name} was not listed by this bucket")
        return found.content

    def local_copy(self, name: str, version: str | None = None) -> Path:
        """A local file with the bytes of one version, by default the current one.

        The checksum is verified. There is one copy per version, as long as `copies` keeps it; an
        object that this process uploaded itself is not downloaded meanwhile.
        """
        with self._explain_errors(name, writing=False):
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

    def local_footer(self, found: StoredObject) -> Path:
        """A file of the object's size with its end alone, or a local copy that is there anyway.

        What lies before the end takes no room on disk. Parts of an object have no checksum.
        """
        copy = self._cached(found.name, found.version)
        end = copy.with_name(f"footer-{copy.name}")
        if copy.exists():
            return copy
        if end.exists():
            return end
        start = max(0, found.size_bytes - _FOOTER_BYTES)
        data = self._read_from(found, start)
        footer = int.from_bytes(data[-_AFTER_FOOTER:][:4], "little") + _AFTER_FOOTER
        if len(data) < footer <= found.size_bytes:
            start = found.size_bytes - footer
            data = self._read_from(found, start)
        partial = self.scratch(found.name)
        with partial.open("wb") as file:
            file.seek(start)
            file.write(data)
        return partial.rename(end)

    def _read_from(self, found: StoredObject, start: int) -> bytes:
        with self._explain_errors(found.name, writing=False):
            data: bytes = self._blob(found.name, found.version).download_as_bytes(
                start=start, raw_download=True, timeout=TIMEOUT, retry=RETRY, checksum=None
            )
        return data

    @contextmanager
    def borrow(self, name: str, version: str) -> Iterator[Path]:
        """A download of that version, removed afterwards; the checksum is verified.

        Raises:
            ChangedObjectError: the object has another version by now.
        """
        copy = self.scratch(name)
        try:
            try:
                with self._explain_errors(name, writing=False):
                    self._blob(name, version).download_to_filename(
                        str(copy), raw_download=True, timeout=TIMEOUT, retry=RETRY
                    )
            except FileNotFoundError as error:
                raise ChangedObjectError(self.uri(name)) from error
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def scratch(self, name: str) -> Path:
        """A new path in the temporary folder of this process, below TMPDIR."""
        return make_process_folder() / f"{secrets.token_hex(8)}{PurePosixPath(name).suffix}"

    def discard_scratch(self) -> list[str]:
        """Nothing: scratch lies in the temporary folder of each process."""
        return []

    def put(self, finished: Path, name: str) -> None:
        """Upload a file as one object, and move the file to the local copies.

        A file above 8 MiB is sent in chunks; an interrupted upload continues after the last chunk
        that arrived. The service compares the checksum before the object appears.
        """
        with self._explain_errors(name, writing=True):
            blob = self._blob(name)
            blob.upload_from_filename(
                str(finished),
                timeout=TIMEOUT,
                retry=RETRY,
                crc32c_checksum_value=_crc32c(finished),
            )
        shutil.move(finished, self._cached(name, str(blob.generation)))

    def copy(self, name: str, new_name: str) -> None:
        """Copy inside the service: no bytes pass through this process."""
        with self._explain_errors(name, writing=True):
            source, target = self._blob(name), self._blob(new_name)
            token, _, _ = target.rewrite(source, timeout=TIMEOUT, retry=RETRY)
            while token is not None:
                token, _, _ = target.rewrite(source, token=token, timeout=TIMEOUT, retry=RETRY)

    def delete(self, name: str) -> None:
        """Remove an object; do nothing if it does not exist."""
        try:
            with self._explain_errors(name, writing=True):
                self._blob(name).delete(timeout=TIMEOUT, retry=RETRY)
        except FileNotFoundError:
            pass

    def pointer(self) -> Pointer | None:
        """The release that the object `latest.json` names."""
        return self._read_pointer()[0]

    def swap_pointer(self, expected: Pointer | None, new: Pointer) -> bool:
        """Replace `latest.json` if its generation is still that of the expected pointer."""
        current, generation = self._read_pointer()
        if current != expected:
            return False
        with self._explain_errors(POINTER_DOCUMENT, writing=True):
            try:
                self._blob(POINTER_DOCUMENT).upload_from_string(
                    new.to_document(),
                    content_type="application/json",
                    if_generation_match=generation,
                    timeout=TIMEOUT,
                    retry=RETRY,
                    checksum="crc32c",
                )
            except api.PreconditionFailed:
                # Another run was faster, or the answer to the first of several attempts was lost.
                found, _ = self._read_pointer()
                return found is not None and (found == new or new.release in found.releases)
        return True

    def _read_pointer(self) -> tuple[Pointer | None, int]:
        """The pointer and its generation; the generation 0 stands for a missing object."""
        blob = self._blob(POINTER_DOCUMENT)
        try:
            with self._explain_errors(POINTER_DOCUMENT, writing=False):
                # The headers of the same response give the generation of these bytes.
                document = blob.download_as_bytes(raw_download=True, timeout=TIMEOUT, retry=RETRY)
        except FileNotFoundError:
            return None, 0
        return Pointer.of_document(document, self.uri(POINTER_DOCUMENT)), int(blob.generation)

    def lock(self) -> AbstractContextManager[None]:
        """Nothing: a bucket has no locks."""
        return nullcontext()

    def hold(self, name: str) -> None:
        """Nothing: a bucket has no locks."""

    def is_held(self, name: str) -> None:
        """Unknown: a bucket has no locks."""

    def _blob(self, name: str, generation: str | None = None) -> storage.Blob:
        return self._bucket.blob(self._prefix + name, generation=generation)

    def _cached(self, name: str, generation: str) -> Path:
        key = hashlib.sha256(self.uri(name).encode()).hexdigest()[:24]
        return copies.make_folder() / f"{key}-{generation}{PurePosixPath(name).suffix}"

    @contextmanager
    def _explain_errors(self, name: str = "", *, writing: bool) -> Iterator[None]:
        """Replace errors of the service with errors that explain what a person can do."""
        bucket = self._bucket.name
        role = "roles/storage.objectUser" if writing else "roles/storage.objectViewer"
        try:
            with explain_errors(self.uri(name)):
                yield
        except api.NotFound as error:
            # The caller handles a missing object; a missing bucket is always an error.
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
                f"{name_account(self._client)}: grant {role} with `gcloud storage buckets "
                f"add-iam-policy-binding gs://{bucket} --member=MEMBER --role={role}`. "
                f"The service says: {error.message}"
            ) from error


def _content_identity(blob: storage.Blob) -> str:
    if blob.md5_hash:
        return f"md5:{blob.md5_hash}"
    return f"crc32c:{blob.crc32c}:{blob.generation}"


def _crc32c(path: Path) -> str:
    """The CRC32C checksum of a file, encoded as the service encodes it."""
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            checksum = google_crc32c.extend(checksum, chunk)
    return base64.b64encode(checksum.to_bytes(4, "big")).decode()
