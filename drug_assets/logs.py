"""JSON logs for Cloud Logging and Error Reporting, and the events that are logged for each run.

One JSON object per line: `severity`, `message`, `time` and, where they are known, `run_id`, `job`,
`step` and `asset`. A traceback is a field of its entry. The fields are those of Google's structured
logging. On a terminal, logs are plain text. This module does not import Dagster: `defs.loggers`
connects the two.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from drug_assets.wording import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Events that the metrics and alerts of a deployment match, as `jsonPayload.event`.
RUN_SUCCEEDED = "run_succeeded"
RUN_FAILED = "run_failed"
#: Another release than the newest was made the current one, or the newest again.
ROLLED_BACK = "rolled_back"

#: What ended a run that failed, as field `outcome` of its event: a source lost all its rows, or
#: there is no drug to look for; another run released meanwhile; the outputs do not belong together,
#: or were not checked; anything else.
EMPTY, LOST_RACE, REFUSED, FAILED = OUTCOMES = "empty", "lost_race", "refused", "failed"

_ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
_DAGSTER_FIELDS = {"run_id": "run_id", "job_name": "job", "step_key": "step"}
_SEVERITIES = {logging.WARNING: "WARNING", logging.CRITICAL: "CRITICAL"}


class CloudFormatter(logging.Formatter):
    """Formats log records as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line, so that it becomes one log entry."""
        entry: dict[str, Any] = {
            "severity": _SEVERITIES.get(record.levelno, record.levelname),
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "logger": record.name,
            **_get_dagster_fields(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
            entry["@type"] = _ERROR_EVENT
        # JSON escapes the lower controls only.
        return printable_json(json.dumps(entry, ensure_ascii=False, default=str))


class TextFormatter(logging.Formatter):
    """Formats log records as text that a terminal shows and does not obey."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; its traceback has lines of its own."""
        return printable(super().format(record), lines=True)


def _get_dagster_fields(record: logging.LogRecord) -> dict[str, Any]:
    """The run, job, step, asset and error that Dagster attached to a record."""
    meta: Mapping[str, Any] = getattr(record, "dagster_meta", {}) or {}
    entry = {name: meta[key] for key, name in _DAGSTER_FIELDS.items() if meta.get(key)}
    event = meta.get("dagster_event")
    asset = getattr(event, "asset_key", None)
    if asset is not None:
        entry["asset"] = asset.to_user_string()
    error = getattr(getattr(event, "event_specific_data", None), "error", None)
    if error is not None:
        entry["stack_trace"] = error.to_string()
        entry["@type"] = _ERROR_EVENT
    return entry


def make_handler(*, as_json: bool) -> logging.Handler:
    """A handler that writes logs to stderr, as JSON lines or as text."""
    handler = logging.StreamHandler(sys.stderr)
    text = TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(CloudFormatter() if as_json else text)
    return handler


def write_event(event: str, message: str, **figures: Any) -> None:
    """Write an event of a run to stderr as a JSON line, whatever loggers are configured.

    Args:
        event: `RUN_SUCCEEDED`, `RUN_FAILED` or `ROLLED_BACK`.
        message: the message for people.
        figures: further fields of the log entry.
    """
    failed = event == RUN_FAILED
    level = logging.ERROR if failed else logging.INFO
    fields = {"event": event, **figures, **({"@type": _ERROR_EVENT} if failed else {})}
    record = logging.makeLogRecord(
        {
            "name": "drug_assets",
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": "%s",
            "args": (printable(message, lines=True),),
            "fields": fields,
        }
    )
    sys.stderr.write(CloudFormatter().format(record) + "\n")
    sys.stderr.flush()
