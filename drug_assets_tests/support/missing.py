"""Skips tests that need what this machine lacks; in CI they fail."""

from __future__ import annotations

import os
from typing import NoReturn


def missing(cure: str) -> NoReturn:
    """Skip the test that asks for what is not installed here; in CI nothing may be missing.

    Args:
        cure: what is missing, and what to do.
    """
    import pytest  # benchmarks, which open pages too, have none

    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(cure)
    pytest.skip(cure)
