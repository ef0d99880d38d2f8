"""How long a client may take: one that is slow, or means harm, costs the others nothing.

uvicorn waits for a request, and for a client to read, as long as these last, and counts connections
that wait among those that are too many. So here a request must arrive within some seconds of its
connection or of the answer before it; what is sent must be taken; and of many connections, the one
that has waited longest for a request is closed for a new one; if none waits, the one that has been
answered longest, as it takes its answer slowly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import BaseTransport, TimerHandle

#: Until a whole request must have arrived.
REQUEST_SECONDS = 10.0
#: Until a client must have taken a piece of an answer: some 64 KiB.
TAKE_SECONDS = 30.0
MOST_CONNECTIONS = 512


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with limits on waiting."""

    #: Those that wait for a request, the one that has waited longest first.
    _waiting: dict[PatientProtocol, TimerHandle] = {}  # noqa: RUF012 - one per process
    #: Those that are answered, and since when, the one that has been answered longest first.
    _answering: dict[PatientProtocol, float] = {}  # noqa: RUF012
    #: Limits, which tests make short.
    request_seconds = REQUEST_SECONDS
    take_seconds = TAKE_SECONDS
    most_connections = MOST_CONNECTIONS
    _taking: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self.most_connections:
            self._choose_one_of_too_many().give_up()
        if not transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._answering.pop(self, None)
        self._stop_waiting()
        self._stop_taking()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for the client to take what was sent."""
        super().pause_writing()
        self._stop_taking()
        self._taking = self.loop.call_later(self.take_seconds, self.give_up)

    def resume_writing(self) -> None:
        """Send on."""
        self._stop_taking()
        super().resume_writing()

    def handle_events(self) -> None:
        """Take what arrived; a request that is there is no longer waited for."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
            self._answering.setdefault(self, self.loop.time())

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._answering.pop(self, None)
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._wait()

    def give_up(self) -> None:
        """Close the connection, which has waited long enough."""
        self._stop_waiting()
        self.transport.abort()

    def _choose_one_of_too_many(self) -> PatientProtocol:
        """The connection that is closed, as this is one too many: this one if no other can be."""
        if self._waiting:
            return next(iter(self._waiting))
        longest, since = next(iter(self._answering.items()), (self, self.loop.time()))
        is_slow = self.loop.time() - since >= self.take_seconds
        return longest if is_slow else self

    def _wait(self) -> None:
        self._stop_waiting()
        self._waiting[self] = self.loop.call_later(self.request_seconds, self.give_up)

    def _stop_waiting(self) -> None:
        if timer := self._waiting.pop(self, None):
            timer.cancel()

    def _stop_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
