"""Owns the pictures of the hour with images: circles, crosses and squares as a student would scan them, grey, 16 x 16, noisy.

    draw_shapes.py FOLDER COUNT SEED

writes COUNT pictures a class to FOLDER/CLASS/NNN.png; the same ones for the same seed.
"""

import random
import struct
import sys
import zlib
from pathlib import Path

SIZE = 16


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows):
    """A grey picture of 8 bits."""
    lines = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


SHAPES = {
    "circle": lambda x, y, size: abs((x * x + y * y) ** 0.5 - size) < 1,
    "cross": lambda x, y, size: abs(abs(x) - abs(y)) < 1 and max(abs(x), abs(y)) <= size,
    "square": lambda x, y, size: abs(max(abs(x), abs(y)) - size) < 1,
}


def picture(shape, chance):
    middle_x, middle_y = (SIZE / 2 + chance.uniform(-2.5, 2.5) for _ in range(2))
    size = chance.uniform(3, 5)
    ink = chance.uniform(110, 200)

    def shade(x, y):
        drawn = ink if shape(x - middle_x, y - middle_y, size) else 0
        return round(min(255, max(0, drawn + chance.gauss(30, 25))))

    return [[shade(x, y) for x in range(SIZE)] for y in range(SIZE)]


def main():
    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    for name, shape in SHAPES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / name / f"{number:03}.png").write_bytes(png(picture(shape, chance)))


if __name__ == "__main__":
    main()
