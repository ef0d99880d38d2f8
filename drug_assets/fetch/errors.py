"""The errors of a pull, one class per reaction that the person or the scheduler should choose.

Messages are written where the errors are raised. None of them ever contains an API key.
"""

from drug_assets.errors import DrugAssetsError


class FetchRequestError(DrugAssetsError):
    """The request itself is wrong, so a retry cannot help. The message lists every fault."""


class FetchError(DrugAssetsError):
    """A pull did not finish. Landed pages stay; the same request resumes after them."""


class ServiceRefused(FetchError):  # noqa: N818 - named for what the service did
    """The service rejected the request (a bad query, a bad key); the message quotes its answer."""


class ServiceUnavailable(FetchError):  # noqa: N818 - named for the state of the service
    """No whole answer after the last retry; a later pull may succeed."""


class LedgerError(FetchError):
    """The record of an earlier, interrupted pull cannot be read."""


class RefusedAnswer(Exception):  # noqa: N818 - never leaves the package
    """A whole answer that rejects the request; `Service` turns it into a `ServiceRefused`.

    Its text may hold a secret, which `Service` removes.
    """


class BrokenAnswer(Exception):  # noqa: N818 - never leaves the package
    """An answer that is incomplete or of another kind than requested; `Service` tries again."""
