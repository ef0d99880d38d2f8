"""One polite conversation with one HTTP service.

Pace, retries, time-outs and what may be said of a failure; what is asked, and what a good answer
holds, belongs to `clinical_trials` and `pubmed`. Redirects are not followed: a key never travels to
a host that nobody named.
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

log = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST_MESSAGE = 500


class Clock:
    """Time as a pull sees it; tests give one that does not really wait."""

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def now(self) -> dt.datetime:
        """The time of day, in UTC."""
        return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Patience:
    """How long and how often to try; all waits in seconds."""

    #: Tries of one request, the first included.
    attempts: int = 6
    #: Wait before the second try, doubled each time up to `longest_wait`; half of it is chance.
    first_wait: float = 1.0
    longest_wait: float = 60.0
    #: A service that asks (Retry-After) for more than this is left alone: the pull ends in error.
    longest_asked_wait: float = 600.0
    connect: float = 10.0
    #: Between two pieces of an answer.
    read: float = 60.0
    #: For one whole answer, however steadily it drips.
    whole_answer: float = 600.0
    largest_answer: int = 512 * 1024**2

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}, at least 1 is needed")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A whole answer: its bytes, and what was found when they were checked."""

    body: bytes
    content: T


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: httpx.Headers
    body: bytes


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The usual authorities; read once a process, as reading them takes a tenth of a second."""
    return httpx.create_ssl_context()


class Service:
    """An HTTP service, asked at its pace until it gives a whole answer or patience ends.

    Args:
        name: As people call it, for messages.
        base_url: With scheme, without query.
        interval: Seconds from the start of one request to the start of the next, at least.
        secret: A text that no message may hold, such as an API key.
        passing: Whether a refusal (4xx) with these words is a passing fault to be tried again.
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
        # Chance spreads the retries of many clients; nothing secret hangs on it.
        self._chance = random.Random()  # noqa: S311
        self._client = httpx.Client(
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            headers={"User-Agent": "drug_assets"},
            verify=_trusted(),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(
        self, path: str, params: Mapping[str, str], accept: Callable[[bytes], T], what: str
    ) -> Answer[T]:
        """Ask by GET; see `_ask`."""
        return self._ask("GET", path, params, accept, what)

    def post(
        self, path: str, form: Mapping[str, str], accept: Callable[[bytes], T], what: str
    ) -> Answer[T]:
        """Ask by POST of a form, which keeps keys and long lists out of URLs and logs."""
        return self._ask("POST", path, form, accept, what)

    def _ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str],
        accept: Callable[[bytes], T],
        what: str,
    ) -> Answer[T]:
        """The answer, once `accept` takes it.

        Args:
            method: GET or POST.
            path: Below the base URL.
            fields: Query parameters of a GET, form fields of a POST.
            accept: From the body to its content; `BrokenAnswer` has it asked again,
                `RefusedAnswer` ends it.
            what: What is asked, for messages.

        Raises:
            ServiceRefused: A 3xx or 4xx that will not pass by itself.
            ServiceUnavailable: No good answer in `Patience.attempts` tries.
        """
        for attempt in range(1, self._patience.attempts + 1):
            asked_wait = 0.0
            try:
                reply = self._reply(method, path, fields)
                if reply.status == httpx.codes.OK:
                    return Answer(reply.body, accept(reply.body))
                asked_wait = self._asked_wait(reply.headers)
                fault = self._fault(reply, what)
            except (httpx.TransportError, httpx.DecodingError) as exc:
                fault = self._told(f"{type(exc).__name__}: {exc}")
            except BrokenAnswer as exc:
                fault = self._told(str(exc))
            except RefusedAnswer as exc:
                raise ServiceRefused(f"{self.name}: {what}: {self._told(str(exc))}") from None
            if asked_wait > self._patience.longest_asked_wait:
                raise ServiceUnavailable(
                    f"{self.name}: {what}: {fault}, and asks to wait {asked_wait:.0f} s. Run the"
                    " same request after that: it resumes."
                )
            if attempt < self._patience.attempts:
                wait = max(asked_wait, self._backoff(attempt))
                log.warning(
                    "%s: %s: %s; try %d of %d in %.1f s",
                    *(self.name, what, fault, attempt + 1, self._patience.attempts, wait),
                )
                self.retries += 1
                self._clock.sleep(wait)
        raise ServiceUnavailable(
            f"{self.name}: {what}: no whole answer in {self._patience.attempts} tries, at last:"
            f" {fault}. What was landed stays; the same request resumes."
        )

    def _reply(self, method: str, path: str, fields: Mapping[str, str]) -> _Reply:
        now = self._clock.monotonic()
        if now < self._next_start:
            self._clock.sleep(self._next_start - now)
        self._next_start = max(now, self._next_start) + self._interval
        self.requests += 1
        deadline = self._clock.monotonic() + self._patience.whole_answer
        request = self._client.build_request(
            method,
            f"{self.base_url}/{path}",
            params=fields if method == "GET" else None,
            data=fields if method == "POST" else None,
        )
        body = bytearray()
        response = self._client.send(request, stream=True)
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self._patience.largest_answer:
                    raise FetchError(
                        f"{self.name} answered more than {self._patience.largest_answer} bytes:"
                        " ask for smaller pages (page_size)"
                    )
                if self._clock.monotonic() > deadline:
                    raise httpx.ReadTimeout(
                        f"not whole after {self._patience.whole_answer:g} s", request=request
                    )
        finally:
            response.close()
        return _Reply(response.status_code, response.headers, bytes(body))

    def _fault(self, reply: _Reply, what: str) -> str:
        """What to say of an answer that is not 200; raises when trying again is of no use."""
        words = self._told(reply.body.decode("utf-8", "replace"))
        said = f"it answered {reply.status}: {words}" if words else f"it answered {reply.status}"
        if reply.status >= 500 or reply.status in {408, 425, 429} or self._passing(words):
            return said
        if 300 <= reply.status < 400:
            said += f", to {self._told(reply.headers.get('location', 'nowhere'))}; not followed"
        raise ServiceRefused(f"{self.name}: {what}: {said}")

    def _asked_wait(self, headers: httpx.Headers) -> float:
        """Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3)."""
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
        return full * self._chance.uniform(0.5, 1.0)

    def _told(self, text: str) -> str:
        """A text from outside, fit for a message: without secrets and markup, one short line.

        NCBI repeats a key it does not know in the answer that says so. Cut last, so that no
        piece of a secret is left at the end.
        """
        if self._secret:
            for spelling in {self._secret, quote(self._secret, safe=""), quote_plus(self._secret)}:
                text = text.replace(spelling, "***")
        line = " ".join(re.sub(r"<[^<>]*>", " ", text).split())
        return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "…"
