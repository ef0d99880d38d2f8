"""How a command is told to end: SIGTERM does what Ctrl-C does, whoever started the command.

Not what is done then: commands and libraries see a `KeyboardInterrupt`, as on a terminal.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Raise `KeyboardInterrupt` in the block on SIGTERM, also where SIGINT is ignored.

    A shell has its background jobs ignore SIGINT, and they still must. But Dagster sets a handler
    for both signals while steps run, and between them gives SIGTERM whatever is that of SIGINT:
    then nothing but SIGKILL would end a run. So SIGINT is held back, which libraries do not change,
    and has a handler that can be given to SIGTERM. Where no handlers can be set, in a thread, the
    block is left as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    held = {signal.SIGINT} if before[signal.SIGINT] is signal.SIG_IGN else set()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # Last: one that was held back was to be ignored.
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
