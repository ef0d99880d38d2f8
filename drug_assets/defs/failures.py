"""How steps fail: what is tried again, what a failure says, and what is told of a failed run.

People read the outermost message that is the product's own, because it names the place and the
remedy; of any other error they read the innermost cause.
"""

import errno
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

from drug_assets import logs
from drug_assets.defs.workplace import Context, Workplace, find_step
from drug_assets.errors import DrugAssetsError
from drug_assets.storage.disk_errors import explain_disk_error
from drug_assets.storage.objects import UnavailableError
from drug_assets.wording import printable

_PACKAGE = __name__.partition(".")[0]
#: When a step that failed for a reason that can pass is tried again. Dagster itself gets no policy:
#: it would also try again what cannot pass, and what a person interrupted.
_RETRIES = dg.RetryPolicy(
    max_retries=3, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
_NETWORK = frozenset({errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH})
#: Checks that fail when data is missing that was there before.
_EMPTINESS = frozenset({"every_source_landed", "has_names"})
#: What ended a run, by the class of the error.
_OUTCOMES = {"LostRaceError": logs.LOST_RACE, "NotReleasableError": logs.REFUSED}
#: Key of the metadata of a failure that names its asset.
_ASSET = "asset"
#: The kinds of events that `FailureReader` reads.
EVENTS = frozenset(
    {
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.STEP_FAILURE,
    }
)


@contextmanager
def explain_failures(context: Context, workplace: Workplace) -> Iterator[None]:
    """Fail a step with a message of the product's own, and try it again if the reason can pass.

    Args:
        context: what Dagster gives the asset, the check or the IO manager.
        workplace: where it works.

    Raises:
        dagster.RetryRequested: a place is not available at the moment.
        dagster.Failure: an error that the product explains.
    """
    try:
        yield
    except (dg.DagsterError, dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        step = find_step(context)
        if step is None:  # outside of a run, the caller handles it
            raise
        can_pass = may_pass(error)
        message = _explain(error, workplace, can_pass=can_pass)
        if message is None:
            raise
        failure = _make_failure(context, message)
        failure.__cause__ = error
        if can_pass:
            wait = _RETRIES.calculate_delay(step.previous_attempt_count + 1)
            raise dg.RetryRequested(_RETRIES.max_retries, wait) from failure
        raise failure from error


def may_pass(error: Exception) -> bool:
    """Whether the reason of an error can be gone in a moment: a place was not available."""
    if isinstance(error, UnavailableError | ConnectionError | TimeoutError):
        return True
    return isinstance(error, OSError) and error.errno in _NETWORK


def _explain(error: Exception, workplace: Workplace, *, can_pass: bool) -> str | None:
    """The product's own message for an error; None if it has none."""
    if isinstance(error, DrugAssetsError):
        return str(error)
    if can_pass:
        return f"{error.__class__.__name__}: {error}"
    location = workplace.store.location
    # What is written to a bucket is made in the temporary folder.
    place = tempfile.gettempdir() if "://" in location else location
    explained = explain_disk_error(error, place)
    return str(explained) if explained else None


def _make_failure(context: Context, message: str) -> dg.Failure:
    asset = context.asset_key.path[-1] if isinstance(context, dg.OutputContext) else None
    metadata = {_ASSET: asset} if asset else {}
    return dg.Failure(printable(message, lines=True), metadata=metadata, allow_retries=False)


@dataclass
class FailureReader:
    """Reads, from the events of a run, what failed and why."""

    #: One line per failed step: what it was to make, and the cause.
    causes: list[str] = field(default_factory=list)
    #: One line per failed blocking check: its asset, its name, what it found.
    checks: list[str] = field(default_factory=list)
    #: What ended the run, one of `logs.OUTCOMES`.
    outcome: str = logs.FAILED
    #: The assets that the run was to make, by step, without those that it has made.
    _planned: dict[str, list[str]] = field(default_factory=dict)
    _has_failed_steps: bool = False

    @classmethod
    def of_run(cls, instance: dg.DagsterInstance, run_id: str) -> "FailureReader":
        """What the event log says of a run."""
        reader = cls()
        for entry in instance.all_logs(run_id, of_type=set(EVENTS)):
            if entry.dagster_event is not None:
                reader.add(entry.dagster_event)
        return reader

    def add(self, event: dg.DagsterEvent) -> None:
        """Read one event of the run."""
        step = event.step_key or ""
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
            if event.asset_key is not None:
                self._planned.setdefault(step, []).append(event.asset_key.path[-1])
        elif event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            if event.asset_key is not None and event.asset_key.path[-1] in self._planned_of(step):
                self._planned[step].remove(event.asset_key.path[-1])
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._add_check(event.asset_check_evaluation_data)
        elif event.is_step_failure:
            self._has_failed_steps = True
            self._add_failure(step, event.step_failure_data)
        elif event.is_job_failure and not self._has_failed_steps:
            error = event.job_failure_data.error
            self.causes.append(find_cause(error) if error else str(event.message))

    def _planned_of(self, step: str) -> list[str]:
        return self._planned.get(step, [])

    def _add_check(self, check: Any) -> None:
        if check.passed or not check.blocking or check.severity is not dg.AssetCheckSeverity.ERROR:
            return
        if check.check_name in _EMPTINESS:
            self.outcome = logs.EMPTY
        found = f": {check.description}" if check.description else ""
        self.checks.append(f"{check.asset_key.path[-1]}: {check.check_name}{found}")

    def _add_failure(self, step: str, data: Any) -> None:
        error, told = data.error, data.user_failure_data
        if error is not None and error.cls_name == DagsterAssetCheckFailedError.__name__:
            return  # the check tells it
        for each in _chain(error):
            self.outcome = _OUTCOMES.get(each.cls_name or "", self.outcome)
        assets = self._planned_of(step)
        if told is not None and _ASSET in told.metadata:
            assets = [str(told.metadata[_ASSET].value)]
        name = assets[0] if len(assets) == 1 else step
        if len(assets) > 1:
            name += f" ({', '.join(sorted(assets))})"
        self.causes.append(f"{name}: {find_cause(error, told)}")

    @property
    def assets(self) -> set[str]:
        """The assets that the run was to make and has not made."""
        return {asset for assets in self._planned.values() for asset in assets}

    def describe(self, run: str) -> str:
        """Say that a run failed, and why.

        Args:
            run: what the run is called.
        """
        return printable(f"{run} failed: " + "; ".join([*self.causes, *self.checks]), lines=True)


def find_cause(error: Any, told: Any = None) -> str:
    """The message of an error that people need.

    That is the description of a failure that the product raised itself, else the outermost message
    of its own errors, else the innermost one of all.

    Args:
        error: the error as Dagster stores it.
        told: the data of a `dagster.Failure`, if the step raised one.
    """
    if told is not None and told.description:
        return str(told.description).strip()
    errors = list(_chain(error))
    if any(each.cls_name == dg.DagsterExecutionInterruptedError.__name__ for each in errors):
        return "interrupted"
    for each in errors:
        name, _, message = str(each.message).strip().partition(": ")
        # Dagster stores the message as "module.SomeError: message".
        if message and name.startswith(f"{_PACKAGE}.") and " " not in name:
            return message
    innermost = str(errors[-1].message).strip()
    name, _, message = innermost.partition(": ")
    return message if message and " " not in name else innermost


def _chain(error: Any) -> Iterable[Any]:
    """An error as Dagster stores it, and those that caused it."""
    while error is not None:
        yield error
        error = error.cause
