"""The interface of a public service: everything that differs from one service to another.

Each service implements it in its own module, with its paging and the checks of its answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from drug_assets.fetch.service import Clock, Patience, Service

if TYPE_CHECKING:
    from drug_assets.fetch.ledger import Ledger, PageRecord
    from drug_assets.fetch.request import FetchRequest


@dataclass(frozen=True)
class Caller:
    """The identity of the caller; sent only to services that ask for one."""

    #: Name of the program.
    tool: str = "drug_assets"
    #: Address that a service can write to before it blocks the caller.
    email: str | None = None
    #: Never logged, never in a name, a file or an error.
    api_key: str | None = field(default=None, repr=False)


class PublicService(ABC):
    """A service that records are pulled from."""

    #: Name of the source that its records belong to.
    source: ClassVar[str]
    #: Name for people.
    name: ClassVar[str]
    base_url: ClassVar[str]
    #: Prefix of the names of landed files: the source, by which the landing zone assigns them, and
    #: the service with its version.
    file_prefix: ClassVar[str]
    #: Records per page if the request sets none, and the most that the service allows.
    default_page_size: ClassVar[int]
    largest_page_size: ClassVar[int]
    #: The dates that `since` and `until` can apply to, the default first; empty without a choice.
    date_types: ClassVar[tuple[str, ...]] = ()
    #: The date type that selects the records that changed lately.
    changed_date_type: ClassVar[str | None] = None

    @abstractmethod
    def interval(self, caller: Caller) -> float:
        """The least number of seconds between two requests of this caller."""

    def open(
        self, caller: Caller, base_url: str | None, patience: Patience, clock: Clock
    ) -> Service:
        """The HTTP client for the service.

        Args:
            caller: the identity of the caller.
            base_url: another address of the service.
            patience: time-outs and retries.
            clock: source of time.
        """
        return Service(
            self.name,
            base_url or self.base_url,
            interval=self.interval(caller),
            patience=patience,
            clock=clock,
        )

    @abstractmethod
    def land_pages(
        self, request: FetchRequest, ledger: Ledger, service: Service, caller: Caller
    ) -> tuple[list[PageRecord], list[str]]:
        """Land every page that is not landed yet.

        Args:
            request: the request of the pull.
            ledger: the record of the pages that are landed already.
            service: the HTTP client.
            caller: the identity of the caller.

        Returns:
            The records of all pages, in order, and warnings for the report.
        """
