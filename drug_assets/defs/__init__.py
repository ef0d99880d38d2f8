"""The Dagster layer: assets, checks, sensors, jobs, resources, IO managers, places.

Declarations only: an asset body loads its inputs, calls code that does not know Dagster, and
returns. Only `resources` depends on where data is stored; it chooses by the settings.
`drug_assets.definitions` lists what Dagster loads: add a new sensor, job or schedule there. No
`from __future__ import annotations` here: Dagster reads annotations at run time.

| module | holds |
| --- | --- |
| `assets`, `checks` | the datasets, and the checks on them |
| `pulls` | pulls from the public services |
| `jobs`, `sensors` | jobs and schedules, and the sensor that starts runs |
| `resources` | the resources behind the assets, chosen by the settings |
| `places`, `google_places` | where a run reads and writes |
| `workplace`, `release` | where a run works, and how it makes a release |
| `io_managers`, `previews` | how tables and documents are stored, loaded and previewed |
| `locations` | where assets are stored, as definitions show it |
| `failures` | what is tried again, and what is told of a failure |
| `loggers`, `notifications` | how runs log, and who is notified when they end |
| `run_launcher` | how production starts runs; named by deploy/dagster.yaml |
"""

#: The owners of all assets, as Dagster shows them.
OWNERS = ["team:drug-assets"]
