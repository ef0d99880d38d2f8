"""What Dagster is told: assets, checks, sensors, jobs, resources; every module is autoloaded.

Declarations only: an asset body loads, calls the ground floor, and returns. No branch on the
environment anywhere but in `resources`. No `from __future__ import annotations` here: Dagster reads
annotations at run time.
"""
