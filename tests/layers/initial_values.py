"""The initial values that dlg draws (runtime/random.h), so that other frameworks can start from them."""

import math

MASK = 0xFFFFFFFF


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011)."""
    words, key = list(counter), list(key)
    for _ in range(10):
        a, b = words[0] * 0xD2511F53, words[2] * 0xCD9E8D57
        words = [b >> 32 ^ words[1] ^ key[0], b & MASK, a >> 32 ^ words[3] ^ key[1], a & MASK]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return words


def stream_key(seed, path):
    """The key of a path: philox of its FNV-1a hash."""
    stream = 0xCBF29CE484222325
    for byte in path.encode():
        stream = (stream ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return philox([stream & MASK, stream >> 32, 0, 0], [seed & MASK, seed >> 32])[:2]


def uniform(path, count, bound, seed=1):
    """`uniform(-bound, bound)`."""
    key = stream_key(seed, path)
    words = [philox([i, 0, 0, 0], key) for i in range(count)]
    return [-bound + 2 * bound * (((w[1] << 32 | w[0]) >> 11) * 2.0**-53) for w in words]


def normal(path, count, deviation, seed=1):
    """`normal(deviation)`."""
    key = stream_key(seed, path)
    words = [philox([i, 0, 0, 0], key) for i in range(count)]
    halves = [((w[1] << 32 | w[0]) >> 11, (w[3] << 32 | w[2]) >> 11) for w in words]
    return [
        deviation * (math.sqrt(-2 * math.log((u + 1) * 2.0**-53)) * math.cos(2 * math.pi * (v * 2.0**-53)))
        for u, v in halves
    ]
