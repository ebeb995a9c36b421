"""Damage to files whatever they hold."""

from random import Random


def flip(rng: Random, data: bytes, first: int = 0, last: int | None = None) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(data)
    last = min(last or len(data), len(data))
    for _ in range(rng.choice((1, 1, 2, 8))):
        if last > first:
            changed[rng.randrange(first, last)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: Random, data: bytes) -> bytes:
    """Leave out the end."""
    return data[: rng.randrange(max(len(data), 1))]


def splice(rng: Random, data: bytes) -> bytes:
    """Drop, double, blank or scramble a block."""
    start = rng.randrange(max(len(data), 1))
    stop = min(len(data), start + rng.choice((1, 4, 16, 256, 4096)))
    block = data[start:stop]
    changed = rng.choice((b'', block * 2, bytes(len(block)), rng.randbytes(len(block))))
    return data[:start] + changed + data[stop:]


def header(rng: Random, data: bytes) -> bytes:
    """Change what stands near the beginning."""
    return flip(rng, data, 0, 256)


def replace(rng: Random, data: bytes) -> bytes:
    """Another file altogether."""
    return rng.choice(
        [
            *(
                b'',
                b'\0',
                b'\n',
                b'<html><title>Log in</title></html>',
                b'\x1f\x8b\x08' + data[:100],
            ),
            *(rng.randbytes(1000), bytes(5000), data * 2, b'PK\x05\x06' + bytes(18)),
        ]
    )


DAMAGES = (flip, cut, splice, header, replace)


def damage(rng: Random, data: bytes) -> tuple[bytes, str]:
    """One of all kinds of damage, and its name."""
    how = rng.choice(DAMAGES)
    return how(rng, data), how.__name__
