"""Damage to bytes: the same again for a random generator with the same seed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

#: No input is longer: what is slow or large for its size shows in small ones.
MOST_BYTES = 64 * 1024
_ODD = (b"\x00", b"\xff", b"\xc3", b"\xe2\x80", b"\x1b", b"\xed\xb0\x80", b"\x85", b"\xa0")


def mutate(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    """The bytes with some damage.

    Args:
        random: decides what is damaged.
        data: the bytes of a file.
        other: those of another file, to splice.
        tokens: what means something in the format.
    """
    for _ in range(random.choice([0, 1, 1, 2, 4, 8])):
        data = random.choice(_MUTATIONS)(random, data, other, tokens)[:MOST_BYTES]
    if random.random() < 0.05:
        data = gzip.compress(data, mtime=0)
        if random.random() < 0.5:
            data = _flip(random, data, other, tokens)
    return data


def _place(random: Random, data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _flip(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _cut(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    return data[: _place(random, data)]


def _drop(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + data[at + random.choice([1, 2, 8, 64, 512]) :]


def _insert(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + random.choice([*tokens, *_ODD]) + data[at:]


def _insert_many(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + random.choice(tokens) * random.choice([10, 300, 3000]) + data[at:]


def _splice(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    return data[: _place(random, data)] + other[_place(random, other) :]


def _repeat(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    start, end = sorted((_place(random, data), _place(random, data)))
    return data[:end] + data[start:end] * random.choice([1, 2, 20]) + data[end:]


def _swap_tokens(random: Random, data: bytes, other: bytes, tokens: Sequence[bytes]) -> bytes:
    there = [token for token in tokens if token in data]
    if not there:
        return data
    return data.replace(random.choice(there), random.choice(tokens), random.choice([1, 3, -1]))


_MUTATIONS: Sequence[Callable[[Random, bytes, bytes, Sequence[bytes]], bytes]] = (
    *(_flip, _flip, _cut, _drop, _insert, _insert, _insert_many, _splice, _repeat, _swap_tokens),
)
