"""The settings of a deployment: environment, landing zone, store (SPEC 9).

Flags override variables, variables override defaults. Variables are read when `Settings.of` is
called, not on import. This module opens no place.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drug_assets import sources
from drug_assets.cleaning.mesh_trees import DEFAULT as DEFAULT_MESH_TREES
from drug_assets.cleaning.mesh_trees import MeshTrees, MeshTreesError
from drug_assets.errors import DrugAssetsError
from drug_assets.exports import BY_DEFAULT, ExportError, normalize_choice
from drug_assets.terms import SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where cleaned and published tables are written: to the store, or to BigQuery.
ENVIRONMENTS = ("local", "bigquery")
#: An environment of earlier versions; now the scheme of a location selects the bucket.
FORMER_ENVIRONMENT = "gcs"
LOG_FORMATS = ("text", "json")
#: Where the work over landed files is done: on this machine, or on the executors of a Spark.
ENGINES = ("local", "spark")
#: A Spark Connect server, with parameters behind it; or a template of Google's sessions.
_SPARK = re.compile(r"sc://[^\s/;]+(/?;\S*|/)?|dataproc://[^\s/;]+/[^\s/;]+/[^\s/;]+")


class SettingsError(DrugAssetsError):
    """A variable or flag cannot be used; the message explains how to correct it."""


def _setting(
    variable: str,
    default: str | int | None = None,
    *,
    secret: bool = False,
    is_choice: bool = False,
) -> Any:
    """A setting that is read from a variable.

    Args:
        variable: the variable.
        default: its value if the variable is not set; a number makes it a count.
        secret: whether its value is never shown.
        is_choice: whether the outputs depend on its value; see `Settings.choices`.
    """
    metadata = {"variable": variable, "is_choice": is_choice}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The settings of one deployment."""

    environment: str = _setting("DRUG_ASSETS_ENV", "local")
    landing: str = _setting("DRUG_ASSETS_LANDING", "data")
    store: str = _setting("DRUG_ASSETS_STORE", "output")
    bigquery_project: str | None = _setting("DRUG_ASSETS_BIGQUERY_PROJECT")
    bigquery_dataset: str | None = _setting("DRUG_ASSETS_BIGQUERY_DATASET")
    bigquery_location: str | None = _setting("DRUG_ASSETS_BIGQUERY_LOCATION")
    #: How many releases the store keeps, the current one included.
    keep_releases: int = _setting("DRUG_ASSETS_KEEP_RELEASES", 10)
    #: Path or URI of a CSV of names that are not searched for; the package's own if not given.
    stop_list: str | None = _setting("DRUG_ASSETS_STOP_LIST")
    #: The trees of MeSH whose records are drugs (`cleaning.mesh_trees`).
    mesh_trees: str = _setting("DRUG_ASSETS_MESH_TREES", DEFAULT_MESH_TREES)
    #: The rules that find mentions by something that is no name (`terms.SpanOrigin`), each once, in
    #: their order, with blanks between them.
    mention_rules: str = _setting("DRUG_ASSETS_MENTION_RULES", "", is_choice=True)
    #: Of a list of more drugs, those that no title names stay out of the graph document.
    graph_drugs: int = _setting("DRUG_ASSETS_GRAPH_DRUGS", 20_000, is_choice=True)
    #: The exports of a release, as `exports.normalize_choice` returns them.
    exports: str = _setting("DRUG_ASSETS_EXPORTS", BY_DEFAULT, is_choice=True)
    engine: str = _setting("DRUG_ASSETS_ENGINE", "local")
    #: Address of the Spark; it can contain a token.
    spark: str | None = _setting("DRUG_ASSETS_SPARK", secret=True)
    #: The image of its executors, where the service starts them.
    spark_image: str | None = _setting("DRUG_ASSETS_SPARK_IMAGE")
    #: Raises NCBI's limit from 3 to 10 requests a second.
    ncbi_api_key: str | None = _setting("NCBI_API_KEY", secret=True)
    ncbi_email: str | None = _setting("NCBI_EMAIL")
    #: `json` for Cloud Logging, `text` for people.
    log_format: str = _setting("DRUG_ASSETS_LOG_FORMAT", "text")
    #: The address that failed runs are posted to; it contains a token.
    failure_webhook: str | None = _setting("DRUG_ASSETS_FAILURE_WEBHOOK", secret=True)
    #: The address at which people find the files of the current release, as `serve` gives them.
    served_at: str | None = _setting("DRUG_ASSETS_SERVED_AT")
    #: By source, the query of its scheduled pull (`DRUG_ASSETS_SOURCE_QUERY`).
    queries: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: By source or vocabulary, another address of its service, such as a mirror
    #: (`DRUG_ASSETS_SOURCE_URL`).
    service_urls: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, variables: Mapping[str, str] | None = None, **flags: str | None) -> Settings:
        """The settings from environment variables and flags; a blank value counts as not given.

        Args:
            variables: the environment variables; those of the process if not given.
            flags: the flags of the command line, by name of the setting.

        Raises:
            SettingsError: a value is not allowed, or a required one is missing.
        """
        environ = os.environ if variables is None else variables
        values: dict[str, Any] = {}
        for setting in fields(cls):
            variable = setting.metadata.get("variable")
            if variable is None:
                continue
            flag = (flags.get(setting.name) or "").strip()
            if value := flag or environ.get(variable, "").strip():
                values[setting.name] = value
        pulled = [source.name for source in sources.PUBLICATIONS if source.pulled_from]
        for mapping, suffix, names in (
            ("queries", "QUERY", pulled),
            ("service_urls", "URL", [*pulled, *sources.DRUGS.vocabularies]),
        ):
            values[mapping] = {
                name: value
                for name in names
                if (value := environ.get(f"DRUG_ASSETS_{name.upper()}_{suffix}", "").strip())
            }
        if logs_are_collected(environ):
            values.setdefault("log_format", "json")
        for setting in fields(cls):
            if isinstance(setting.default, int) and setting.name in values:
                variable = setting.metadata["variable"]
                values[setting.name] = _require_count(variable, values[setting.name])
        if rules := values.get("mention_rules"):
            values["mention_rules"] = _require_rules("DRUG_ASSETS_MENTION_RULES", rules)
        if exports := values.get("exports"):
            values["exports"] = _require_exports("DRUG_ASSETS_EXPORTS", exports)
        settings = cls(**values)
        settings._require_consistent()
        return settings

    @property
    def choices(self) -> dict[str, Any]:
        """The settings that the outputs depend on, by name: they count for the rules of a release.

        The stop list and the trees of MeSH are not among them: what they mean counts, not how they
        are written.
        """
        return {
            setting.name: getattr(self, setting.name)
            for setting in fields(self)
            if setting.metadata.get("is_choice")
        }

    @property
    def notes(self) -> list[str]:
        """Remarks for people on how their settings were understood."""
        if self.environment != FORMER_ENVIRONMENT:
            return []
        note = (
            "DRUG_ASSETS_ENV=gcs has no effect any more: a location that begins with gs:// is "
            "enough. Unset the variable"
        )
        return [note]

    def _require_consistent(self) -> None:
        _require_one_of("DRUG_ASSETS_ENV", self.environment, ENVIRONMENTS, FORMER_ENVIRONMENT)
        _require_one_of("DRUG_ASSETS_LOG_FORMAT", self.log_format, LOG_FORMATS)
        _require_one_of("DRUG_ASSETS_ENGINE", self.engine, ENGINES)
        if self.engine == "spark" and not _SPARK.fullmatch(self.spark or ""):
            # The value is not shown: it can contain a token.
            raise SettingsError(
                "DRUG_ASSETS_ENGINE is spark: DRUG_ASSETS_SPARK must be the address of a Spark "
                "Connect server, sc://HOST:PORT, or of a template of Google's sessions, "
                "dataproc://PROJECT/REGION/TEMPLATE"
            )
        if self.served_at and not re.fullmatch(r"https?://[^\s/]\S*", self.served_at):
            raise SettingsError(
                f"DRUG_ASSETS_SERVED_AT is {self.served_at!r}; it can be an address that begins "
                "with http:// or https://"
            )
        try:
            MeshTrees.of(self.mesh_trees)
        except MeshTreesError as error:
            raise SettingsError(f"DRUG_ASSETS_MESH_TREES: {error}") from error
        if is_within(self.store, self.landing):
            raise SettingsError(
                f"the store {self.store} lies in the landing zone {self.landing}, where outputs "
                "would be read as landed files: set DRUG_ASSETS_STORE or --store to another place"
            )
        if self.environment == "bigquery":
            for variable, value in (
                ("DRUG_ASSETS_BIGQUERY_PROJECT", self.bigquery_project),
                ("DRUG_ASSETS_BIGQUERY_DATASET", self.bigquery_dataset),
            ):
                if not value:
                    raise SettingsError(f"DRUG_ASSETS_ENV is bigquery: set {variable}")


def logs_are_collected(variables: Mapping[str, str]) -> bool:
    """Whether logs are JSON: if `json` is set, and on Cloud Run unless `text` is set.

    This works without `Settings`, so that errors in the settings are logged correctly, too.
    """
    log_format = variables.get("DRUG_ASSETS_LOG_FORMAT", "").strip()
    on_cloud_run = "CLOUD_RUN_JOB" in variables or "K_SERVICE" in variables
    return log_format == "json" or (on_cloud_run and log_format != "text")


def _require_one_of(
    variable: str, value: str, allowed: tuple[str, ...], former: str | None = None
) -> None:
    if value not in (*allowed, former):
        raise SettingsError(f"{variable} is {value!r}; it can be {', '.join(allowed)}")


def _require_count(variable: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or int(value) < 1:
        raise SettingsError(f"{variable} is {value!r}; it can be any number from 1")
    return int(value)


def _require_rules(variable: str, value: str) -> str:
    """The rules that words name, each once, in their order."""
    rules = [rule.value for rule in SpanOrigin if rule is not SpanOrigin.NAME]
    words = value.replace(",", " ").split()
    for word in words:
        if word not in rules:
            raise SettingsError(f"{variable}: {word!r} is no rule; there are {', '.join(rules)}")
    return " ".join(rule for rule in rules if rule in words)


def _require_exports(variable: str, value: str) -> str:
    """The exports that a text chooses, in one form."""
    try:
        return normalize_choice(value)
    except ExportError as error:
        raise SettingsError(f"{variable}: {error}") from error


def is_within(place: str, zone: str) -> bool:
    """Whether a location equals another one or is below it."""
    if "://" in place or "://" in zone:
        return f"{place.rstrip('/')}/".startswith(f"{zone.rstrip('/')}/")
    return Path(place).expanduser().resolve().is_relative_to(Path(zone).expanduser().resolve())
