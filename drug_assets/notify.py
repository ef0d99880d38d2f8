"""Telling people that a run failed, through a webhook of theirs.

The address is a secret (chat services put their token into it): it is never logged nor shown.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRIES = 3
_SECONDS = 5.0
_MAY_PASS = frozenset({408, 425, 429})
_SERVER_ERROR = 500


class NotNotifiedError(Exception):
    """The webhook did not take the message; says why, not where."""


def notify(
    webhook: str, message: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Post a message as JSON; its `text` is what chat services show.

    Raises:
        NotNotifiedError: no try of a few was answered with success.
    """
    import httpx

    why = ""
    for attempt in range(TRIES):
        if attempt:
            sleep(2.0**attempt)
        try:
            answer = httpx.post(webhook, json=dict(message), timeout=_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The error's own text may hold the address.
            why = type(error).__name__
            continue
        if answer.is_success:
            return
        why = f"HTTP {answer.status_code}"
        if answer.status_code < _SERVER_ERROR and answer.status_code not in _MAY_PASS:
            break
    raise NotNotifiedError(f"the failure webhook did not take the message: {why}")
