"""The base class of all errors whose message is written for users.

Each subclass is defined in the module that raises it. How an error is handled does not belong here:
exit codes are set in `cli`, failed steps in `defs`.
"""


class DrugAssetsError(Exception):
    """An error whose message names the problem, the place and the remedy."""
