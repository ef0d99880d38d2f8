"""Texts -> their words, as places in bytes, and keys that tell words apart.

Keys are numbers: words with different keys are different, words with equal keys nearly always
equal. Numpy computes them from the bytes of all words at once, without a string for each word. What
is searched for, and what a text means, does not belong here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Places in a text, or numbers of words.
Places: TypeAlias = "NDArray[np.int64]"
Keys: TypeAlias = "NDArray[np.uint64]"

_BREAK = ord("\n")
#: What a text ends with: two words follow each of its own, and eight bytes each place.
ENDING = "\n\n\n\n" + 8 * "0"
_FURTHER_BREAKS = ENDING.count("\n") - 1
#: Words and bytes that are looked at together: what is made of them stays in the processor's cache.
_TOGETHER = 2**16
_TOGETHER_BYTES = 2**20

#: By number of bytes, what keeps so many of eight.
_FIRST_BYTES = np.array([2 ** (8 * count) - 1 for count in range(9)], dtype=np.uint64)
#: Odd numbers with about as many ones as zeros: products with them spread over all bits.
_BY_HEAD, _BY_TAIL, _BY_FIRST, _BY_HASH = (
    np.uint64(factor)
    for factor in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD1B54A32D192ED03)
)
#: Entries of a filter for each of its keys: one of so many other keys passes.
_ENTRIES_PER_KEY = 32
_LEAST_BITS, _MOST_BITS = 12, 23


@dataclass(frozen=True)
class Words:
    """The words of a text, numbered in order: each lies between two adjacent line breaks.

    Between two line breaks side by side is an empty word.
    """

    #: The text.
    text: NDArray[np.uint8]
    #: The eight bytes from each place on, as a number.
    eights: NDArray[np.uint64]
    #: The places of line breaks. Word n lies between the breaks n and n + 1.
    breaks: Places

    @classmethod
    def of(cls, lines: bytes) -> Words:
        """Find the words of a text that begins with a line break and ends with `ENDING`."""
        text = np.frombuffer(lines, np.uint8)
        parts = (
            np.flatnonzero(text[at : at + _TOGETHER_BYTES] == _BREAK) + at
            for at in range(0, len(lines), _TOGETHER_BYTES)
        )
        eights = np.ndarray((len(lines) - 7,), "<u8", lines, strides=(1,))
        return cls(text, eights, np.concatenate(list(parts)))

    def __len__(self) -> int:
        return len(self.breaks) - 1 - _FURTHER_BREAKS

    def starts(self, words: Places) -> Places:
        """The places at which words begin."""
        return self.breaks[words] + 1

    def sizes(self, words: Places) -> Places:
        """The numbers of bytes of words."""
        return self.breaks[words + 1] - self.breaks[words] - 1

    def are_breaks(self, places: Places) -> NDArray[np.bool_]:
        """Whether a line break is at each place; there is none behind the text."""
        are: NDArray[np.bool_] = self.text[np.minimum(places, len(self.text) - 1)] == _BREAK
        return are

    def heads(self, words: Places) -> Keys:
        """The first eight bytes of words as keys."""
        starts, ends = self.breaks[words] + 1, self.breaks[words + 1]
        return _heads(self.eights, starts, ends)

    def keys(self, words: Places) -> Keys:
        """A key of each word: of its first and its last eight bytes, and its size."""
        starts, sizes = self.starts(words), self.sizes(words)
        # Of a word of at most eight bytes, the first are all.
        last = self.eights[starts + np.maximum(sizes - 8, 0)] & _FIRST_BYTES[8 * (sizes > 8)]
        keys: Keys = self.heads(words) * _BY_HEAD + last * _BY_TAIL + sizes.astype(np.uint64)
        return keys

    def add_next(self, keys: Keys, words: Places) -> Keys:
        """A key of each word together with the next one; an empty next one is skipped, once.

        Args:
            keys: the keys of the words.
            words: the words.
        """
        following = words + 1
        following += self.sizes(following) == 0
        return keys * _BY_FIRST + self.keys(following)

    def find(self, heads: KeyFilter) -> Places:
        """The numbers of the words whose heads pass a filter."""
        found = []
        for at in range(0, len(self), _TOGETHER):
            breaks = self.breaks[at : min(at + _TOGETHER, len(self)) + 1]
            keys = _heads(self.eights, breaks[:-1] + 1, breaks[1:])
            found.append(np.flatnonzero(heads.may_have(keys)) + at)
        return np.concatenate(found) if found else np.empty(0, np.int64)


@dataclass(frozen=True)
class KeyFilter:
    """Tells of most keys that they are none of those that it is made of; those always pass."""

    passes: NDArray[np.bool_]
    #: How many bits of a hash are dropped, so that the others number an entry.
    dropped: np.uint64

    @classmethod
    def of(cls, keys: Keys) -> KeyFilter:
        """Make a filter of keys."""
        wanted = (_ENTRIES_PER_KEY * len(keys)).bit_length()
        bits = min(max(wanted, _LEAST_BITS), _MOST_BITS)
        made = cls(np.zeros(2**bits, np.bool_), np.uint64(64 - bits))
        made.passes[made._entries(keys)] = True
        return made

    def may_have(self, keys: Keys) -> NDArray[np.bool_]:
        """Whether each key passes."""
        return self.passes[self._entries(keys)]

    def _entries(self, keys: Keys) -> Keys:
        entries: Keys = (keys * _BY_HASH) >> self.dropped
        return entries


def _heads(eights: Keys, starts: Places, ends: Places) -> Keys:
    heads: Keys = eights[starts] & _FIRST_BYTES[np.minimum(ends - starts, 8)]
    return heads
