"""What can go wrong with a pull, by what the person or the scheduler should do next.

Only the classes: messages are written where they are raised. None of them ever holds an API key.
"""


class FetchRequestError(ValueError):
    """The request itself is wrong; asking again changes nothing. The message lists every fault."""


class FetchError(RuntimeError):
    """A pull did not finish. Landed pages stay; the same request resumes behind them."""


class ServiceRefused(FetchError):  # noqa: N818 - named for what the service did
    """The service understood and said no (a bad query, a bad key): its words are in the message."""


class ServiceUnavailable(FetchError):  # noqa: N818 - named for the state of the service
    """No whole answer after the last retry; later it may work."""


class LedgerError(FetchError):
    """The record of an earlier, interrupted pull cannot be read."""


class RefusedAnswer(Exception):  # noqa: N818 - never leaves the package
    """A whole answer that says no: becomes `ServiceRefused` once its words are fit to be told."""


class BrokenAnswer(Exception):  # noqa: N818 - never leaves the package
    """An answer arrived, but not whole or not of the asked kind: to be asked again."""
