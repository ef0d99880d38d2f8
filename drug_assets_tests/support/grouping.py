"""Groups of linked things, made one by one: a reference that tests compare with."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

One = TypeVar("One", bound="Hashable")


def group(of: Iterable[One], links: Iterable[tuple[One, Hashable]]) -> list[set[One]]:
    """Groups of what is linked to the same things, directly or through others.

    Args:
        of: all that is to be grouped.
        links: pairs of one of them and a thing.
    """
    linked: defaultdict[Hashable, set[One]] = defaultdict(set)
    for one, thing in links:
        linked[thing].add(one)
    found = [{one} for one in of]
    for members in linked.values():
        touched = [part for part in found if part & members]
        found = [part for part in found if not part & members] + [set[One]().union(*touched)]
    return found
