"""The run launcher of production: each run is an execution of a Cloud Run job, with a time-out.

Used only by `deploy/dagster.yaml`, which names the class.
"""

from typing import Any

from dagster import Field, IntSource
from dagster._core.launcher import LaunchRunContext
from dagster_contrib_gcp.cloud_run.run_launcher import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
    CloudRunRunLauncher,
)


class TimedRunLauncher(CloudRunRunLauncher):  # type: ignore[misc, unused-ignore]
    """`CloudRunRunLauncher` with one time-out, set by the deployment, for Cloud Run and Dagster.

    The base class takes `run_timeout` as a number in a file of the image and overrides the job's
    own time-out with it, even if that is longer; Dagster ends runs after another number in that
    file. Here a single number comes from the environment and applies to every run.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """The base class's fields; `run_timeout` is required and may come from the environment."""
        return {**super().config_type(), "run_timeout": Field(IntSource, is_required=True)}

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run, tagged so that Dagster ends it if Cloud Run does not.

        Replaces a tag that the run already has, for instance from the run that it repeats.
        """
        max_runtime = {"dagster/max_runtime": str(self.run_timeout)}
        self._instance.add_run_tags(context.dagster_run.run_id, max_runtime)
        super().launch_run(context)
