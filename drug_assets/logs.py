"""Logs that Cloud Logging and Error Reporting understand, and what is told of each run.

One JSON object a line: `severity`, `message`, `time`, and where they are known `run_id`, `job`,
`step` and `asset`; a traceback stays within its entry. The fields are those of Google's structured
logging. On a terminal logs stay plain text. No Dagster here: `defs.loggers` plugs this in.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Events that metrics and alerts of a deployment match on, as `jsonPayload.event`.
RUN_SUCCEEDED = "run_succeeded"
RUN_FAILED = "run_failed"

_ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
_OF_DAGSTER = {"run_id": "run_id", "job_name": "job", "step_key": "step"}
_SEVERITIES = {logging.WARNING: "WARNING", logging.CRITICAL: "CRITICAL"}


class CloudFormatter(logging.Formatter):
    """Log records as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        """One record; everything in one line, so that it stays one entry."""
        entry: dict[str, Any] = {
            "severity": _SEVERITIES.get(record.levelno, record.levelname),
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "logger": record.name,
            **_of_dagster(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
            entry["@type"] = _ERROR_EVENT
        return json.dumps(entry, ensure_ascii=False, default=str)


def _of_dagster(record: logging.LogRecord) -> dict[str, Any]:
    """What Dagster says of where a record comes from."""
    meta: Mapping[str, Any] = getattr(record, "dagster_meta", {}) or {}
    entry = {name: meta[key] for key, name in _OF_DAGSTER.items() if meta.get(key)}
    event = meta.get("dagster_event")
    asset = getattr(event, "asset_key", None)
    if asset is not None:
        entry["asset"] = asset.to_user_string()
    error = getattr(getattr(event, "event_specific_data", None), "error", None)
    if error is not None:
        entry["stack_trace"] = error.to_string()
        entry["@type"] = _ERROR_EVENT
    return entry


def handler(*, as_json: bool) -> logging.Handler:
    """Where logs go: stderr, as JSON lines or as text."""
    chosen = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    chosen.setFormatter(CloudFormatter() if as_json else text)
    return chosen


def tell(event: str, message: str, **figures: Any) -> None:
    """Write one event of a run as a JSON line, whatever loggers are set up."""
    failed = event == RUN_FAILED
    level = logging.ERROR if failed else logging.INFO
    fields = {"event": event, **figures, **({"@type": _ERROR_EVENT} if failed else {})}
    record = logging.makeLogRecord(
        {
            "name": "drug_assets",
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": "%s",
            "args": (message,),
            "fields": fields,
        }
    )
    sys.stderr.write(CloudFormatter().format(record) + "\n")
    sys.stderr.flush()
