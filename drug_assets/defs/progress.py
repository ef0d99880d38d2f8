"""How far a step has come: lines in the log of its run, and whoever else watches.

The lines are in Dagster's event log and, where logs are collected, among these.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import dagster as dg

from drug_assets.defs.workplace import Context
from drug_assets.progress import Done, Lines, Report


class Watcher:
    """Somebody who is shown how far steps have come, as they come further."""

    def watch(self, what: str) -> AbstractContextManager[Report]:
        """Until the block ends, be shown how far it has come.

        Args:
            what: what is made, such as the name of a table.
        """
        raise NotImplementedError


class ProgressLog(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Tells in the log of a run how far its steps have come."""

    #: How often there is a line.
    every_seconds: float = 10
    watcher: dg.ResourceDependency[Watcher | None]

    @contextmanager
    def follow(self, context: Context, what: str) -> Iterator[Report]:
        """Follow a step while it works through files.

        Args:
            context: what Dagster gives the asset or the IO manager.
            what: what is made, such as the name of a table.
        """
        tell = Lines(context.log.info, what, self.every_seconds)
        if self.watcher is None:
            yield tell
            return
        with self.watcher.watch(what) as show:

            def report(done: Done) -> None:
                tell(done)
                show(done)

            yield report
