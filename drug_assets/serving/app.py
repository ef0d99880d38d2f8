"""The application: routes, errors and headers of what is served. It only reads."""

from __future__ import annotations

import json
import re
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from drug_assets import explorer
from drug_assets.serving.description import describe_questions
from drug_assets.serving.files import is_served
from drug_assets.serving.questions import QUESTIONS, UNKNOWN, ParameterError, Question
from drug_assets.storage.objects import StorageError
from drug_assets.storage.released import NoTableError
from drug_assets.storage.releases import NoReleaseError
from drug_assets.wording import printable_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from drug_assets.serving.current import CurrentRelease, ServedRelease

_JSON = "application/json"
_NOT_MODIFIED = 304
#: Questions that are answered at the same time, and further ones that wait.
_ANSWERED_AT_ONCE = 4
_MOST_WAITING = 64
#: How long a client that is turned away is asked to wait.
_RETRY_SECONDS = "2"
_LEVEL = 4
#: A longer answer is sent in pieces, without its length: Cloud Run refuses those that say that they
#: are longer than 32 MiB.
_LONGEST_SAID_BYTES = 16 * 1024**2
#: Parameters of a request that are looked at; more are refused.
_MOST_FIELDS = 50

#: Of answers; a file is compressed once (`files`).
_COMPRESS = Middleware(GZipMiddleware, compresslevel=_LEVEL)

#: The page carries a stricter policy of its own, with the hash of its script.
_OF_PAGE = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_OF_OTHERS = f"default-src 'none'; {_OF_PAGE}"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def make_app(current: CurrentRelease, hosts: Sequence[str] = ("*",)) -> Starlette:
    """The application.

    Args:
        current: the release that is served.
        hosts: the names by which it may be asked for; of any other, nothing is told. `*` is any.
    """
    endpoints = _Endpoints(current)
    return Starlette(
        routes=[
            Route("/", endpoints.show_explorer),
            Route("/alive", endpoints.say_alive),
            Route("/health", endpoints.check_health),
            Route("/openapi.json", endpoints.describe, middleware=[_COMPRESS]),
            *(
                Route(
                    f"/api/{question.name}",
                    partial(endpoints.answer, question),
                    middleware=[_COMPRESS],
                )
                for question in QUESTIONS
            ),
            Route("/{name:path}", endpoints.send_file),
        ],
        middleware=[
            Middleware(_SetHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
        exception_handlers=_HANDLERS,
    )


class _Endpoints:
    """What is answered at each route."""

    def __init__(self, current: CurrentRelease) -> None:
        self._current = current
        self._package = version("drug_assets")
        self._room = _Room(_ANSWERED_AT_ONCE, _MOST_WAITING)

    async def answer(self, question: Question, request: Request) -> Response:
        """Answer a question, once for each release."""
        query = request.scope["query_string"].decode("latin-1")
        try:
            fields = parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise ParameterError(f"more than {_MOST_FIELDS} parameters") from error
        given = question.read(fields)
        served = await self._find_release()
        key = (question.name, *given.items())
        if refusal := served.refusals.get(key):
            return Response(refusal, 404, media_type=_JSON)
        answer = served.answers.get(key)
        if answer is None:
            try:
                async with self._room:
                    answer = await run_in_threadpool(question.answer, served, given)
            except UNKNOWN as error:
                refusal = _explain_unknown(error)
                served.refusals.keep(key, refusal)
                return Response(refusal, 404, media_type=_JSON)
            served.answers.keep(key, answer)
        headers = self._tag(served)
        if _knows(request, headers["ETag"]):
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        return Response(answer, media_type=_JSON, headers=headers)

    async def send_file(self, request: Request) -> Response:
        """Send a file of the release."""
        name = str(request.path_params["name"])
        if not is_served(name):
            raise HTTPException(404, "there is no such page")
        served = await self._find_release()
        packed = _takes_gzip(request)
        try:
            file = await run_in_threadpool(served.find_file, name, compressed=packed)
            stat = await run_in_threadpool(file.path.stat)
        except OSError as error:
            raise HTTPException(404, f"release {served.release.id} has no {name}") from error
        headers = {**self._tag(served), "Vary": "Accept-Encoding"}
        if _knows(request, headers["ETag"]):
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        if file.encoding is not None:
            headers["Content-Encoding"] = file.encoding
        return _FileOfRelease(
            served, file.path, headers=headers, media_type=file.media_type, stat_result=stat
        )

    async def show_explorer(self, _: Request) -> Response:
        """Lead to the explorer."""
        return RedirectResponse(explorer.FILE)

    async def say_alive(self, _: Request) -> Response:
        """Say that the server answers, whatever the store does: for who would start it anew."""
        return _as_json({"status": "ok"})

    async def check_health(self, _: Request) -> Response:
        """Say whether there is a release to answer from."""
        served = await self._find_release()
        return _as_json({"status": "ok", "release": served.release.id})

    async def describe(self, _: Request) -> Response:
        """Describe the questions."""
        return _as_json(describe_questions(self._package))

    async def _find_release(self) -> ServedRelease:
        served = self._current.peek()
        return await run_in_threadpool(self._current.get) if served is None else served

    def _tag(self, served: ServedRelease) -> dict[str, str]:
        # Weak: compressed and not, an answer is the same.
        tag = f'W/"{served.release.id}-{self._package}"'
        return {"ETag": tag, "Cache-Control": "no-cache"}


class _FileOfRelease(FileResponse):
    """A file that is sent; its release, and with it local copies, stay until it is."""

    def __init__(self, served: ServedRelease, *arguments: Any, **options: Any) -> None:
        self.served = served
        super().__init__(*arguments, **options)


def _knows(request: Request, tag: str) -> bool:
    """Whether a client has what it asks for already."""
    known = request.headers.get("If-None-Match", "").split(",")
    return any(each.strip() in {"*", tag, tag.removeprefix("W/")} for each in known)


def _takes_gzip(request: Request) -> bool:
    """Whether a client takes an answer that is compressed."""
    for each in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, *parameters = (part.replace(" ", "") for part in each.split(";"))
        if coding == "gzip":
            return not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return False


def _as_json(answer: object, status: int = 200, **headers: str) -> Response:
    text = printable_json(json.dumps(answer, ensure_ascii=False))
    return Response(text, status, media_type=_JSON, headers=headers)


async def _tell_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _as_json({"error": error.detail}, error.status_code, **dict(error.headers or {}))


async def _tell_wrong(_: Request, error: Exception) -> Response:
    return _as_json({"error": str(error)}, 400)


def _explain_unknown(error: Exception) -> bytes:
    """What is told of something that there is not, with what is spelled alike."""
    told: dict[str, object] = {"error": str(error)}
    for member in ("close_spellings", "close_codes"):
        if close := getattr(error, member, None):
            told[member] = close
    return bytes(_as_json(told).body)


async def _tell_missing(_: Request, error: Exception) -> Response:
    return _as_json({"error": str(error)}, 404)


async def _tell_unavailable(_: Request, error: Exception) -> Response:
    return _as_json({"error": str(error)}, 503, **{"Retry-After": _RETRY_SECONDS})


async def _tell_defect(_request: Request, _error: Exception) -> Response:
    # The server logs the error.
    return _as_json({"error": "this could not be answered; the log of the server says why"}, 500)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _tell_http,
    ParameterError: _tell_wrong,
    NoTableError: _tell_missing,
    NoReleaseError: _tell_unavailable,
    StorageError: _tell_unavailable,
    Exception: _tell_defect,
}


class _Room:
    """Room for questions that are answered at the same time, and for some that wait."""

    def __init__(self, most: int, most_waiting: int) -> None:
        self._limiter = anyio.CapacityLimiter(most)
        self._most_waiting = most_waiting

    async def __aenter__(self) -> None:
        """Wait for room.

        Raises:
            HTTPException: too many wait already.
        """
        if self._limiter.statistics().tasks_waiting >= self._most_waiting:
            headers = {"Retry-After": _RETRY_SECONDS}
            raise HTTPException(503, "too many questions are being answered", headers)
        await self._limiter.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._limiter.release()


class _SetHeaders:
    """Middleware for headers: those for the safety of who reads, and the length of an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A browser gives the headers of a 304 to the page that it has.
                if message["status"] != _NOT_MODIFIED:
                    is_page = headers.get("Content-Type", "").startswith("text/html")
                    headers["Content-Security-Policy"] = _OF_PAGE if is_page else _OF_OTHERS
                headers.update(_HEADERS)
                if int(headers.get("Content-Length", "0")) > _LONGEST_SAID_BYTES:
                    del headers["Content-Length"]
            await send(message)

        await self._app(scope, receive, send_with_headers)
