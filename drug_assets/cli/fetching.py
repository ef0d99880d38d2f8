"""The commands that pull from public services into the landing zone: fetch (SPEC 8)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from drug_assets import sources
from drug_assets.cli.common import USAGE, echo, echo_json, json_option, landing_option, stop
from drug_assets.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from drug_assets.sources import PublicationSource


@click.group()
def fetch() -> None:
    """Pull records from a public service into the landing zone."""


def _pull(source: PublicationSource) -> None:
    """Declare the command that pulls from the service of a source."""
    name = source.pulled_from

    @fetch.command(source.name.replace("_", "-"), help=f"Pull from {name}. {_RESUMES}")
    @click.option("--query", required=True, help="What to ask for, in the service's own language.")
    @landing_option
    @click.option("--since", type=_DATE, help="Only records from this day on.")
    @click.option("--until", type=_DATE, help="Only records up to this day.")
    @click.option("--page-size", type=int, help="Records per file.")
    @click.option("--date-type", help="PubMed: the date that days go by: edat, pdat or mdat.")
    @json_option
    def pull(
        query: str,
        landing: str | None,
        since: datetime | None,
        until: datetime | None,
        page_size: int | None,
        date_type: str | None,
        *,
        as_json: bool,
    ) -> None:
        from drug_assets.fetch import FetchRequest
        from drug_assets.fetch import fetch as fetch_records
        from drug_assets.storage.destination import landing_destination

        settings = Settings.of(landing=landing)
        with _explain_pull_errors():
            request = FetchRequest(
                service=source.service(),
                query=query,
                since=since.date() if since else None,
                until=until.date() if until else None,
                page_size=page_size,
                date_type=date_type,
            )
            report = fetch_records(
                request,
                landing_destination(settings.landing),
                api_key=settings.ncbi_api_key,
                email=settings.ncbi_email,
                base_url=settings.service_urls.get(source.name),
            )
        if as_json:
            echo_json(report.as_json())
            return
        for warning in report.warnings:
            echo(f"warning: {warning}", err=True)
        echo(
            f"{report.records} records in {len(report.files)} files of {settings.landing}"
            + (f", {report.pages_resumed} of them there before" if report.resumed else "")
        )


@contextmanager
def _explain_pull_errors() -> Iterator[None]:
    """End the command for what a pull raises, with what a person can do."""
    from drug_assets.fetch import FetchError, FetchRequestError
    from drug_assets.storage.objects import StorageError

    try:
        yield
    except (FetchRequestError, StorageError) as error:
        stop(str(error), USAGE)
    except (FetchError, OSError) as error:
        stop(f"{error} (the same command goes on where this one stopped)", 1)


_DATE = click.DateTime(["%Y-%m-%d"])
_RESUMES = "An interrupted pull goes on where it stopped."
for _source in sources.PUBLICATIONS:
    if _source.pulled_from:
        _pull(_source)


@fetch.command(
    help="Pull a drug vocabulary, in its newest edition, from its owner. What has landed in this"
    f" edition is not pulled again; that of a former pull is replaced. {_RESUMES}\n\n\b\n"
    + "\n".join(f"{name:8}{what}" for name, what in sources.DRUGS.vocabularies.items())
)
@click.argument("name", type=click.Choice([*sources.DRUGS.vocabularies]))
@landing_option
@json_option
def vocabulary(name: str, landing: str | None, *, as_json: bool) -> None:
    """Pull a drug vocabulary."""
    from drug_assets.fetch import fetch_vocabulary
    from drug_assets.storage.destination import landing_destination

    settings = Settings.of(landing=landing)
    with _explain_pull_errors():
        report = fetch_vocabulary(
            sources.DRUGS.vocabulary(name),
            landing_destination(settings.landing),
            base_url=settings.service_urls.get(name),
        )
    if as_json:
        echo_json(report.as_json())
        return
    for warning in report.warnings:
        echo(f"warning: {warning}", err=True)
    did = [f"{len(report.landed)} files landed in {settings.landing}"] if report.landed else []
    did += [f"{len(report.kept)} were there in this edition"] if report.kept else []
    did += [f"{len(report.removed)} of a former one were removed"] if report.removed else []
    echo(f"{report.title} ({report.editions}): {', '.join(did)}")
