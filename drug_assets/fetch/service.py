"""The HTTP client for one service: pace, retries, time-outs, and error messages without secrets.

The requests, and the checks of a good answer, belong to the modules that call it. Redirects of
requests with fields are not followed, so that a key is never sent to a host that the caller has not
named; pages and files, which are asked for without any, are followed where they have moved.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import random
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, Self, TypeVar
from urllib.parse import quote, quote_plus

import httpx

from drug_assets.fetch.errors import (
    BrokenAnswer,
    FetchError,
    RefusedAnswer,
    ServiceRefused,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from drug_assets.fetch.kept_file import KeptFile

log = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST_MESSAGE = 500
_MOST_REDIRECTS = 5
#: Bytes of an answer that is not the file that was asked for: enough for a message.
_BYTES_OF_REFUSAL = 1 << 16


class Clock:
    """The source of time of a pull; tests pass one that does not really wait."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        time.sleep(seconds)

    def now(self) -> dt.datetime:
        """The current date and time, in UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Patience:
    """Limits of tries, waits and answers; all times in seconds."""

    #: Tries of one request, the first included.
    attempts: int = 8
    #: Wait before the second try, doubled each time up to `longest_wait`; half of it is random.
    first_wait: float = 1.0
    longest_wait: float = 60.0
    #: If a service asks for a longer wait (Retry-After), the pull ends in error.
    longest_asked_wait: float = 600.0
    connect: float = 10.0
    #: Between two pieces of an answer.
    read: float = 60.0
    #: For one whole answer, even if pieces keep arriving.
    whole_answer: float = 600.0
    #: Bytes of one answer.
    largest_answer: int = 512 * 1024**2
    #: Bytes of one file, which is never in memory as a whole.
    largest_file: int = 1024**3
    #: Bytes of the parts in which a file is kept while it comes; `whole_answer` is for one of them.
    part: int = 8 * 1024**2

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}, at least 1 is needed")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A whole answer: its bytes, the content that its check returned, and where it came from."""

    body: bytes
    content: T
    url: str


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: httpx.Headers
    body: bytes
    url: str


class _PassingFaultError(Exception):
    """An answer after which another try can help."""

    def __init__(self, fault: str, asked_wait: float) -> None:
        super().__init__(fault)
        self.asked_wait = asked_wait


@functools.cache
def _trusted_authorities() -> ssl.SSLContext:
    """The default certificate authorities; read once per process, because that takes 0.1 s."""
    return httpx.create_ssl_context()


class Service:
    """A client that sends requests at the service's pace, and retries until an answer is whole.

    Args:
        name: Name of the service, for messages.
        base_url: With scheme, without query.
        interval: Least seconds from the start of one request to the start of the next.
        patience: Time-outs and retries.
        clock: Source of time.
        secret: A text that no message may contain, such as an API key.
        passing: Whether a refusal (4xx) with this text is temporary, so that a retry may help.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        interval: float,
        patience: Patience,
        clock: Clock,
        secret: str | None = None,
        passing: Callable[[str], bool] = lambda _: False,
    ) -> None:
        if not base_url.startswith(("https://", "http://")):
            raise FetchError(f"{name}: base URL {base_url!r} must begin with https:// or http://")
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.requests = 0
        self.retries = 0
        self._interval = interval
        self._patience = patience
        self._clock = clock
        self._secret = secret
        self._passing = passing
        self._next_start = 0.0
        # Spreads the retries of many clients; no secret depends on it.
        self._random = random.Random()  # noqa: S311
        self._client = httpx.Client(
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            headers={"User-Agent": "drug_assets"},
            verify=_trusted_authorities(),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(
        self, path: str, params: Mapping[str, str], accept: Callable[[bytes], T], what: str
    ) -> Answer[T]:
        """Send a GET request and return its whole answer.

        Args:
            path: below the service's address.
            params: the query parameters.
            accept: reads the body of an answer, or raises if it is not a good one.
            what: name of the request, for messages.
        """
        return self._ask("GET", path, params, accept, what)

    def post(
        self, path: str, form: Mapping[str, str], accept: Callable[[bytes], T], what: str
    ) -> Answer[T]:
        """POST a form, which keeps keys and long lists out of URLs and logs; return the answer.

        Args:
            path: below the service's address.
            form: the fields of the form.
            accept: reads the body of an answer, or raises if it is not a good one.
            what: name of the request, for messages.
        """
        return self._ask("POST", path, form, accept, what)

    def read_page(self, url: str, accept: Callable[[bytes], T], what: str) -> Answer[T]:
        """Read a page, also where it has moved to.

        Args:
            url: its whole address.
            accept: reads the body of an answer, or raises if it is not a good one.
            what: name of the page, for messages.
        """
        return self._persist(what, lambda: self._ask_once("GET", url, None, accept, what))

    def download(self, url: str, file: KeptFile, accept: Callable[[], T], what: str) -> T | None:
        """Download a file, from the byte at which an earlier try ended.

        A file that changed between two tries begins anew; so does one whose server cannot resume,
        or does not say which version it sends. As long as tries bring bytes that none brought
        before, they are not counted.

        Args:
            url: its whole address.
            file: keeps what has come.
            accept: reads the file once it is whole, or raises if it is not a good one.
            what: name of the file, for messages.

        Returns:
            What `accept` returned; None if the server still has the version that `file` knows.

        Raises:
            ServiceRefused: an answer that no other try can better.
            ServiceUnavailable: no whole file in `Patience.attempts` tries.
        """

        def once() -> T | None:
            if not self._transfer(url, file, what):
                return None
            try:
                return accept()
            except BrokenAnswer:
                file.clear()
                raise

        try:
            return self._persist(what, once, lambda: file.size)
        except (FetchError, KeyboardInterrupt):
            file.keep()
            raise

    def _ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str],
        accept: Callable[[bytes], T],
        what: str,
    ) -> Answer[T]:
        """Send a request until `accept` returns, and return the answer.

        Args:
            method: GET or POST.
            path: Below the base URL.
            fields: Query parameters of a GET, form fields of a POST.
            accept: Returns the content of a body; a `BrokenAnswer` leads to another try, a
                `RefusedAnswer` to `ServiceRefused`.
            what: Name of the request, for messages.

        Raises:
            ServiceRefused: A 3xx or 4xx that is not temporary.
            ServiceUnavailable: No good answer in `Patience.attempts` tries.
        """
        url = f"{self.base_url}/{path}"
        return self._persist(what, lambda: self._ask_once(method, url, fields, accept, what))

    def _ask_once(
        self,
        method: str,
        url: str,
        fields: Mapping[str, str] | None,
        accept: Callable[[bytes], T],
        what: str,
    ) -> Answer[T]:
        reply = self._read_reply(method, url, fields)
        if reply.status == httpx.codes.OK:
            return Answer(reply.body, accept(reply.body), reply.url)
        raise self._fault_of(reply, what)

    def _persist(
        self, what: str, once: Callable[[], T], progress: Callable[[], int] = lambda: 0
    ) -> T:
        """Try until `once` returns.

        Args:
            what: Name of the request, for messages.
            once: One try.
            progress: How far the tries have come; those that came further than any before are not
                counted.
        """
        attempt, furthest = 0, progress()
        while True:
            attempt += 1
            asked_wait = 0.0
            try:
                return once()
            except _PassingFaultError as exc:
                fault, asked_wait = str(exc), exc.asked_wait
            except (httpx.TransportError, httpx.DecodingError) as exc:
                fault = self._fit_for_message(f"{type(exc).__name__}: {exc}")
            except BrokenAnswer as exc:
                fault = self._fit_for_message(str(exc))
            except RefusedAnswer as exc:
                raise ServiceRefused(
                    f"{self.name}: {what}: {self._fit_for_message(str(exc))}"
                ) from None
            if asked_wait > self._patience.longest_asked_wait:
                raise ServiceUnavailable(
                    f"{self.name}: {what}: {fault}, and asks to wait {asked_wait:.0f} s. Run the"
                    " same request after that: it resumes."
                )
            if progress() > furthest:
                attempt, furthest = 1, progress()
            if attempt == self._patience.attempts:
                raise ServiceUnavailable(
                    f"{self.name}: {what}: no whole answer in {attempt} tries, at last:"
                    f" {fault}. What was landed stays; the same request resumes."
                )
            wait = max(asked_wait, self._backoff(attempt))
            log.warning(
                "%s: %s: %s; try %d of %d in %.1f s",
                *(self.name, what, fault, attempt + 1, self._patience.attempts, wait),
            )
            self.retries += 1
            self._clock.sleep(wait)

    def _transfer(self, url: str, file: KeptFile, what: str) -> bool:
        """Fetch the rest of a file; return whether it is whole, False if it is a known one."""
        request = self._client.build_request("GET", url, headers=file.headers())
        deadline = self._clock.monotonic() + self._patience.whole_answer
        response = self._send(request, follows=True)
        try:
            if response.status_code not in {200, 206, 304, 416}:
                raise self._fault_of(_reply_of(response, self._cut_short(response)), what)
            if not file.takes(response.status_code, response.headers):
                return file.is_whole
            for chunk in response.iter_raw():
                if file.append(chunk):
                    deadline = self._clock.monotonic() + self._patience.whole_answer
                if file.size > self._patience.largest_file:
                    file.clear()
                    raise RefusedAnswer(f"more than {self._patience.largest_file} bytes came")
                self._keep_to(deadline, request)
        finally:
            response.close()
        file.finish()
        return True

    def _cut_short(self, response: httpx.Response) -> bytes:
        """The first bytes of an answer that is only quoted."""
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _BYTES_OF_REFUSAL:
                break
        return bytes(body)

    def _keep_to(self, deadline: float, request: httpx.Request) -> None:
        if self._clock.monotonic() > deadline:
            raise httpx.ReadTimeout(
                f"not whole after {self._patience.whole_answer:g} s", request=request
            )

    def _send(self, request: httpx.Request, *, follows: bool) -> httpx.Response:
        """Send a request at the service's pace, and open the answer.

        Args:
            request: The request.
            follows: Whether to ask again where the answer says that it has moved to, but for a
                place that is not encrypted if this one is.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            now = self._clock.monotonic()
            if now < self._next_start:
                self._clock.sleep(self._next_start - now)
            self._next_start = max(now, self._next_start) + self._interval
            self.requests += 1
            response = self._client.send(request, stream=True)
            moved = response.next_request if follows else None
            if moved is None or (request.url.scheme, moved.url.scheme) == ("https", "http"):
                return response
            response.close()
            request = moved
        raise RefusedAnswer(f"it has moved more than {_MOST_REDIRECTS} times")

    def _read_reply(self, method: str, url: str, fields: Mapping[str, str] | None) -> _Reply:
        request = self._client.build_request(
            method,
            url,
            params=fields if method == "GET" else None,
            data=fields if method == "POST" else None,
        )
        body = bytearray()
        deadline = self._clock.monotonic() + self._patience.whole_answer
        response = self._send(request, follows=fields is None)
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self._patience.largest_answer:
                    raise FetchError(
                        f"{self.name} answered more than {self._patience.largest_answer} bytes:"
                        " ask for smaller pages (page_size)"
                    )
                self._keep_to(deadline, request)
        finally:
            response.close()
        return _reply_of(response, bytes(body))

    def _fault_of(self, reply: _Reply, what: str) -> _PassingFaultError:
        fault = self._describe_fault(reply, what)
        return _PassingFaultError(fault, self._read_retry_after(reply.headers))

    def _describe_fault(self, reply: _Reply, what: str) -> str:
        """The description of an answer that is not 200; raise if another try cannot help."""
        text = self._fit_for_message(reply.body.decode("utf-8", "replace"))
        fault = f"it answered {reply.status}: {text}" if text else f"it answered {reply.status}"
        if reply.status >= 500 or reply.status in {408, 425, 429} or self._passing(text):
            return fault
        if 300 <= reply.status < 400:
            target = self._fit_for_message(reply.headers.get("location", "nowhere"))
            fault += f", to {target}; not followed"
        raise ServiceRefused(f"{self.name}: {what}: {fault}")

    def _read_retry_after(self, headers: httpx.Headers) -> float:
        """The seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
        value = headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return float(value)
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        if until.tzinfo is None:
            until = until.replace(tzinfo=dt.UTC)
        return max(0.0, (until - self._clock.now()).total_seconds())

    def _backoff(self, attempt: int) -> float:
        full = min(self._patience.longest_wait, self._patience.first_wait * 2.0 ** (attempt - 1))
        return full * self._random.uniform(0.5, 1.0)

    def _fit_for_message(self, text: str) -> str:
        """Make text from outside fit for a message: no secrets, no markup, one short line.

        NCBI repeats an unknown key in its answer. The text is cut last, so that no piece of a
        secret is left at the end.
        """
        if self._secret:
            for spelling in {self._secret, quote(self._secret, safe=""), quote_plus(self._secret)}:
                text = text.replace(spelling, "***")
        line = " ".join(re.sub(r"<[^<>]*>", " ", text).split())
        return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "…"


def _reply_of(response: httpx.Response, body: bytes) -> _Reply:
    return _Reply(response.status_code, response.headers, body, str(response.url))
