"""Two services on loopback that behave like ClinicalTrials.gov and PubMed, faults included.

Paging, limits and error texts are those of the real ones; all records are made up. What a test
wants to go wrong is put in `faults`, by the number of the request.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

from drug_assets.fetch import Clock, Patience
from drug_assets.storage.destination import StoreDestination
from drug_assets.storage.objects import LocalFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Fewer tries; waits between them cost nothing with `PatientClock`. Real time-outs are long, as a
#: busy machine is no fault: a test of one shortens that one, or has a clock of its own.
PATIENCE = Patience(attempts=4, connect=60.0, read=60.0)
#: For a service that says nothing: a busy machine may cost further tries, but never the pull.
PATIENCE_WITH_SILENCE = Patience(attempts=1_000, connect=60.0, read=0.25)


class PatientClock(Clock):
    """Time that only passes in `sleep`, at once; starts just before midnight UTC."""

    def __init__(self, start: str = "2026-03-10T23:50:00+00:00") -> None:
        self.start = dt.datetime.fromisoformat(start)
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.monotonic())


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer."""

    #: In place of the right answer.
    reply: Reply | None = None
    #: The connection ends after half the body that Content-Length announced.
    cut: bool = False
    #: Half the body, announced as if it were all.
    half: bool = False
    #: The connection ends without an answer.
    hang_up: bool = False
    #: Nothing comes until the service stops.
    silent: bool = False
    #: Half the body comes, then nothing until the service stops.
    stall: bool = False
    #: One byte every second of the client's clock.
    drip: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    path: str
    fields: dict[str, str]
    #: By the client's clock.
    at: float
    #: The name of the program, as it gave it.
    agent: str = ""
    #: All headers, by name in lower case.
    headers: dict[str, str] = field(default_factory=dict)


class LoopbackService:
    """An HTTP server in a thread, up within a `with`."""

    def __init__(self, clock: PatientClock | None = None) -> None:
        self.clock = clock or PatientClock()
        self.faults: dict[int, Fault] = {}
        self.asked: list[Asked] = []
        self.stopped = threading.Event()
        #: Set once a silent answer has begun.
        self.silent = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            disable_nagle_algorithm = True  # head and body are two writes: else 40 ms each

            def do_GET(self) -> None:
                service._serve(self, "")

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                service._serve(self, self.rfile.read(length).decode("ascii"))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def _serve(self, handler: BaseHTTPRequestHandler, form: str) -> None:
        parts = urlsplit(handler.path)
        pairs = parse_qsl(form or parts.query, keep_blank_values=True)
        asked = Asked(
            *(handler.command, handler.path, parts.path, dict(pairs), self.clock.monotonic()),
            agent=handler.headers["User-Agent"],
            headers={name.lower(): value for name, value in handler.headers.items()},
        )
        assert len(asked.fields) == len(pairs)
        self.asked.append(asked)
        fault = self.faults.get(len(self.asked), Fault())
        reply = fault.reply or self.answer(asked)
        body = reply.body[: len(reply.body) // 2] if fault.half else reply.body
        if fault.silent:
            self.silent.set()
            self.stopped.wait(60)
        if fault.silent or fault.hang_up:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        try:
            if fault.drip:
                for byte in body:
                    self.clock.slept.append(1.0)
                    handler.wfile.write(bytes([byte]))
            else:
                cut = fault.cut or fault.stall
                handler.wfile.write(body[: len(body) // 2] if cut else body)
            if fault.stall:
                self.silent.set()
                self.stopped.wait(60)
        except ConnectionError:
            pass  # the client had enough
        if fault.cut or fault.drip or fault.stall:
            handler.close_connection = True


class Trials(LoopbackService):
    """`/studies` of ClinicalTrials.gov API v2."""

    def __init__(self, count: int = 0, clock: PatientClock | None = None) -> None:
        super().__init__(clock)
        self.studies = [f"NCT{90_000_000 + n}" for n in range(count)]
        #: Tokens of another state are refused.
        self.state = 1

    def answer(self, asked: Asked) -> Reply:
        fields = asked.fields
        known = {"format", "query.term", "filter.advanced", "pageSize", "pageToken", "countTotal"}
        if asked.path != "/studies" or asked.method != "GET":
            return Reply(404, b"Not found")
        if fields.keys() - known:
            return Reply(400, f"Unknown parameter {sorted(fields.keys() - known)}".encode())
        if fields["query.term"].count("(") != fields["query.term"].count(")"):
            return Reply(400, "Too complicated query: unbalanced «(»".encode())
        search = self._search_id(fields)
        start = 0
        if token := fields.get("pageToken"):
            match = re.fullmatch(rf"{search}\.{self.state}\.(\d+)", token)
            if not match:
                return Reply(400, b"Invalid value in parameter `pageToken`")
            start = int(match[1])
        found = [] if "nothing" in fields["query.term"] else self.studies
        size = min(int(fields["pageSize"]), 1000)
        page: dict[str, Any] = {"studies": [_study(n) for n in found[start : start + size]]}
        if fields.get("countTotal") == "true" and not token:
            page["totalCount"] = len(found)
        if start + size < len(found):
            page["nextPageToken"] = f"{search}.{self.state}.{start + size}"
        return Reply(200, json.dumps(page).encode(), {"Content-Type": "application/json"})

    def page(self, number: int, *, total: int | None = None, again: int = 0) -> Reply:
        """A page of two studies of the query `aspirin`.

        With another total than is true, or with its first studies again at its end.
        """
        fields = {"query.term": "aspirin", "pageSize": "2", "countTotal": "true"}
        if number > 1:
            fields["pageToken"] = f"{self._search_id(fields)}.{self.state}.{2 * number - 2}"
        reply = self.answer(Asked("GET", "/studies", "/studies", fields, 0.0))
        page = json.loads(reply.body)
        page["studies"] += page["studies"][:again]
        if total is not None:
            page["totalCount"] = total
        return Reply(200, json.dumps(page).encode())

    def _search_id(self, fields: dict[str, str]) -> str:
        decisive = [fields["query.term"], fields.get("filter.advanced")]
        return hashlib.sha256(repr(decisive).encode()).hexdigest()[:8]


def _study(nct_id: str) -> dict[str, Any]:
    identity = {"nctId": nct_id, "officialTitle": f"Étude inventée {nct_id}"}
    return {"protocolSection": {"identificationModule": identity}, "hasResults": False}


@dataclass(frozen=True)
class Article:
    pmid: str
    edat: dt.date | None
    pdat: dt.date


class PubMed(LoopbackService):
    """`esearch.fcgi` and `efetch.fcgi` of NCBI E-utilities."""

    KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f00a08"
    LISTED = 9_999

    def __init__(self, count: int = 0, clock: PatientClock | None = None) -> None:
        super().__init__(clock)
        day = dt.date(2020, 1, 1)
        self.articles = [
            Article(str(500 + n), day + dt.timedelta(days=n // 7), day) for n in range(count)
        ]
        #: Found by searches, not given by efetch.
        self.withdrawn: set[str] = set()

    def answer(self, asked: Asked) -> Reply:
        fields = asked.fields
        limit = 10 if fields.get("api_key") else 3
        recent = [a for a in self.asked if 0 <= asked.at - a.at < 1.0]
        if len(recent) > limit:
            told = {"error": "API rate limit exceeded", "api-key": fields.get("api_key", "::1")}
            return Reply(429, json.dumps(told | {"count": f"{len(recent)}"}).encode())
        if fields.get("api_key", self.KEY) != self.KEY:
            told = {"error": "API key invalid", "api-key": fields["api_key"], "type": "client"}
            return Reply(400, json.dumps(told).encode())
        if len(asked.target) > 2000:
            return Reply(414, b"URI too long")
        assert fields["db"] == "pubmed"
        if asked.path == "/esearch.fcgi":
            return Reply(200, json.dumps({"esearchresult": self._search(fields)}).encode())
        if asked.path == "/efetch.fcgi":
            return Reply(200, self._records(fields))
        return Reply(404, b"Not found")

    def search(self, term: str) -> Reply:
        """The answer to a search without dates."""
        fields = {"term": term, "retstart": "0", "retmax": "9999", "retmode": "json"}
        return Reply(200, json.dumps({"esearchresult": self._search(fields)}).encode())

    def records(self, ids: str) -> Reply:
        """The answer to a fetch of ids, separated by commas."""
        return Reply(200, self._records({"id": ids, "retmode": "xml"}))

    def _search(self, fields: dict[str, str]) -> dict[str, Any]:
        term, start = fields["term"], int(fields["retstart"])
        assert fields["retmode"] == "json"
        if start >= self.LISTED:
            return {"ERROR": "'retstart' cannot be larger than 9998."}
        if "#" in term:
            return {"ERROR": f"Unable to execute query: {term}"}
        keep: list[Callable[[Article], bool]] = []
        if "mindate" in fields:
            first, last = _day(fields["mindate"]), _day(fields["maxdate"])
            kind = fields["datetype"]
            keep.append(lambda a: (d := getattr(a, kind)) is not None and first <= d <= last)
        if out := re.search(r" NOT (\S+):(\S+)\[(edat|pdat)\]$", term):
            low, high, of = _day(out[1]), _day(out[2]), out[3]
            keep.append(lambda a: (d := getattr(a, of)) is None or not low <= d <= high)
        found = [] if "nothing" in term else [a for a in self.articles if all(k(a) for k in keep)]
        newest_first = [a.pmid for a in reversed(found)]
        stop = min(start + int(fields["retmax"]), self.LISTED)
        result: dict[str, Any] = {
            "count": str(len(found)),
            "retstart": str(start),
            "idlist": newest_first[start:stop],
            "querytranslation": f"{term}[All Fields]",
        }
        if "[tittle]" in term:
            result["errorlist"] = {"phrasesnotfound": [], "fieldsnotfound": ["tittle"]}
        return result

    def _records(self, fields: dict[str, str]) -> bytes:
        assert fields["retmode"] == "xml"
        known = {a.pmid for a in self.articles} - self.withdrawn
        records = "".join(
            f'<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article>'
            f"<ArticleTitle>Made-up paper {pmid} – étude</ArticleTitle></Article>"
            "</MedlineCitation></PubmedArticle>\n"
            for pmid in fields["id"].split(",")
            if pmid in known
        )
        return (
            '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle,'
            ' 1st January 2025//EN" "https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
            f"<PubmedArticleSet>{records}</PubmedArticleSet>"
        ).encode()


def _day(text: str) -> dt.date:
    year, month, day = map(int, text.split("/"))
    return dt.date(year, month, day)


class Killed(BaseException):
    """The process ends here, as far as the pull can tell."""


class LocalDestination(StoreDestination):
    """A folder, as the landing zone of this machine is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalFolder(folder))


class MortalDestination(LocalDestination):
    """A folder whose process dies at one of its changes, just before or just after it."""

    def __init__(self, folder: Path, dies_at: int, *, after: bool) -> None:
        super().__init__(folder)
        self._changes = 0
        self._dies_at = dies_at
        self._after = after

    def write(self, name: str, data: bytes) -> None:
        with self._change():
            super().write(name, data)

    def delete(self, name: str) -> None:
        with self._change():
            super().delete(name)

    @contextmanager
    def _change(self) -> Iterator[None]:
        self._changes += 1
        if self._changes == self._dies_at and not self._after:
            raise Killed
        yield
        if self._changes == self._dies_at:
            raise Killed


def landed(folder: Path) -> dict[str, bytes]:
    """Files that the landing zone sees, with their bytes."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


def landed_ids(folder: Path) -> Counter[str]:
    """How often each record lies in the landed files."""
    ids: Counter[str] = Counter()
    for name, data in landed(folder).items():
        body = gzip.decompress(data)
        if name.endswith(".json.gz"):
            modules = [s["protocolSection"]["identificationModule"] for s in _studies(body)]
            ids.update(module["nctId"] for module in modules)
        else:
            assert name.endswith(".xml.gz")
            root = ElementTree.fromstring(body)  # noqa: S314 - our own
            ids.update(pmid.text or "" for pmid in root.iter("PMID"))
    return ids


def _studies(body: bytes) -> list[dict[str, Any]]:
    studies: list[dict[str, Any]] = json.loads(body)["studies"]
    return studies
