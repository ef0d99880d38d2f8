"""Notify people that a run failed, through a webhook.

The address is a secret, since chat services put their token into it: it is never logged or shown.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from drug_assets.errors import DrugAssetsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRIES = 3
_SECONDS = 5.0
_TRANSIENT = frozenset({408, 425, 429})
_SERVER_ERROR = 500


class NotNotifiedError(DrugAssetsError):
    """The webhook did not accept the message; the error has the reason, but not the address."""


def notify(
    webhook: str, message: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Post a message as JSON.

    Args:
        webhook: the address; never shown.
        message: the JSON object to post; chat services show its `text`.
        sleep: waits between attempts; takes the number of seconds.

    Raises:
        NotNotifiedError: none of several attempts succeeded.
    """
    import httpx

    reason = ""
    for attempt in range(TRIES):
        if attempt:
            sleep(2.0**attempt)
        try:
            answer = httpx.post(webhook, json=dict(message), timeout=_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The text of the error may contain the address.
            reason = type(error).__name__
            continue
        if answer.is_success:
            return
        reason = f"HTTP {answer.status_code}"
        if answer.status_code < _SERVER_ERROR and answer.status_code not in _TRANSIENT:
            break
    raise NotNotifiedError(f"the failure webhook did not take the message: {reason}")
