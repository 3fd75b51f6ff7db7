#!/usr/bin/env python3
"""Owns what the fuzz targets begin with: files of the source tree, and the words that are found in them.

    fuzz_seeds.py      names the forms of the language that no seed of a program has, and fails if there are some
"""

import gzip
import io
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from source_files import ROOT

# Larger seeds only slow a target down: it tries fewer changes of them.
LONGEST = 1 << 13
HEAD = (b"# SHOWS: ", b"# RUN: ", b"# COPY: ")
MARK = re.compile(rb"^# ---- (FILE|BYTES) (\S+)\n", re.MULTILINE)
BLOCK = re.compile(rb"^```dlg[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Names, numbers, and signs of one or two characters.
WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9.e]*|[^\sA-Za-z0-9_]{1,2}")
LONGEST_WORD = 40
STAGES = ["graph", "backward", "loops"]
# What one change of a seed hardly makes: a seed has it from the start.
FORMS = {
    "index notation": rb"^ *\w+\[[a-z]\w*[,:\]][^=\n]*=",
    "a window": rb"\[[^\]\n]*\b\w+ \* \w+ \+ [^\]\n]*\]",
    "a place that is written to by a window": rb"^ *\w+\[[^\]\n]* \* [^\]\n]*: \w+\] =",
    "a guard": rb"\) where \w+ [<>=]",
    "a formal that is a pair": rb"\w+: pair\b",
    "a formal with words": rb"\w+: same or valid or \w+",
    "a formal of any axes": rb"\[\w+, \.\.\.\]",
    "two numbers for a pair": rb"\((?:[^()\n]*, )?\w+ = \[\d+, \d+\]",
    "the word `same`": rb"= same\b",
    "the word `valid`": rb"= valid\b",
    "the word `none`": rb"= none\b",
    "an initialiser of a whole matrix": rb"= orthogonal\(",
}


def golden_inputs():
    """(name, contents) of every input that the golden files write."""
    for path in sorted([*ROOT.glob("tests/golden/**/*.golden"), *ROOT.glob("tests/nasty/*.golden")]):
        text = re.split(rb"^# ---- OUT", path.read_bytes(), maxsplit=1, flags=re.MULTILINE)[0]
        # A list of name, contents, name, ...; what stands before the first mark is a program.
        kinds = ["FILE", *(mark[1].decode() for mark in MARK.finditer(text))]
        names = ["input.dlg", *(mark[2].decode() for mark in MARK.finditer(text))]
        for kind, name, contents in zip(kinds, names, MARK.split(text)[::3]):
            if re.search(rb"^# ---- REPEAT", contents, re.MULTILINE):
                continue
            lines = contents.splitlines(keepends=True)
            contents = b"".join(line for line in lines if not line.startswith(HEAD))
            yield name, bytes.fromhex(contents.decode()) if kind == "BYTES" else contents


def golden(*endings):
    return [contents for name, contents in golden_inputs() if name.endswith(endings)]


def pieces(program):
    """A program, or where it is too long its parts between blank lines, as many in one as are not."""
    if len(program) <= LONGEST:
        return [program]
    head, *parts = re.split(rb"\n\n+", program)
    result = [head]
    for part in parts:
        if len(result[-1]) + len(part) > LONGEST:
            result.append(b"dlg 1")
        result[-1] += b"\n\n" + part
    return [piece + b"\n" for piece in result]


def programs():
    files = sorted([*ROOT.glob("examples/*/*.dlg"), *ROOT.glob("std/*.dlg")])
    shown = [block for path in sorted(ROOT.glob("docs/**/*.md")) for block in BLOCK.findall(path.read_bytes())]
    return [piece for path in files for piece in pieces(path.read_bytes())] + shown + golden(".dlg")


def textual_ir(dlg):
    """What `dlg show` prints of every program that needs no other file, and what the golden files hold."""
    with tempfile.TemporaryDirectory() as folder:
        for program in programs():
            (Path(folder) / "net.dlg").write_bytes(program)
            for stage in STAGES:
                shown = subprocess.run([dlg, "show", "net.dlg", "--stage", stage], cwd=folder, capture_output=True)
                if shown.returncode != 0:
                    break
                yield shown.stdout
    yield from golden(".ir", ".loops")


def tables():
    lines = (ROOT / "examples/digits/digits.csv").read_bytes().splitlines(keepends=True)
    small = [b"".join(lines[:3]), b'x,"a ""b"""\r\n1.5,-2e-3\n"3",4', b"\xef\xbb\xbfx,t\n1,cat\n2,dog\n", b"a;b\n1,5;2\n"]
    return small + golden(".csv")


def npy(descr, shape, data, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def arrays():
    yield npy("<f4", "(2, 3)", struct.pack("<6f", *range(6)))
    yield npy("<f8", "(2,)", struct.pack("<2d", 1, 2), version=2)
    yield npy("|u1", "(3,)", b"abc", version=3)
    yield npy("|b1", "(3,)", b"\1\0\1")
    yield npy("<i8", "(1,)", struct.pack("<q", -5))
    yield from golden(".npy")


def idx(code, sizes, data):
    return bytes([0, 0, code, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + data


def idx_arrays():
    yield idx(0x08, [2, 2, 3], bytes(range(12)))
    yield idx(0x0C, [2], struct.pack(">2i", -1, 7))
    yield idx(0x0D, [1, 2], struct.pack(">2f", 0.5, -2))
    yield idx(0x0E, [1], struct.pack(">d", 0.5))
    yield gzip.compress(idx(0x0B, [3], struct.pack(">3h", 1, 2, 3)), mtime=0)
    yield gzip.compress(idx(0x08, [4], b"ab"), mtime=0) + gzip.compress(b"", mtime=0)
    yield from golden(".idx", ".gz")


def archives():
    x = npy("<f4", "(2, 3)", struct.pack("<6f", *range(6)))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        for force in (False, True):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", method) as archive:
                archive.writestr(zipfile.ZipInfo("y.npy"), b"y", compress_type=method)
                info = zipfile.ZipInfo("x.npy")
                info.compress_type = method
                with archive.open(info, "w", force_zip64=force) as member:
                    member.write(x)
            yield file.getvalue()
    yield from golden(".npz")


def png(width, height, depth, colour, rows, before=b"", interlace=0):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">2I5B", width, height, depth, colour, 0, 0, interlace)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def pictures():
    palette = struct.pack(">I", 6) + b"PLTEabcdef" + struct.pack(">I", zlib.crc32(b"PLTEabcdef"))
    yield png(2, 2, 8, 0, [b"ab", b"cd"])
    yield png(9, 1, 1, 0, [b"\xa0\x80"])
    yield png(1, 2, 8, 2, [b"rgb", b"RGB"])
    yield png(2, 1, 8, 3, [b"\0\1"], palette)
    yield png(2, 2, 8, 0, [b"a", b"b", b"cd"], interlace=1)
    yield from golden(".png")


def weights(dlg):
    with tempfile.TemporaryDirectory() as folder:
        program = ROOT / "examples/xor/xor.dlg"
        subprocess.run([dlg, "train", program, "--quiet"], cwd=folder, capture_output=True, check=True)
        return [path.read_bytes() for path in sorted(Path(folder).rglob("*.safetensors"))] + golden(".safetensors")


# target: its seeds; some of them are made by `dlg`.
SEEDS = {
    "parser": lambda dlg: programs(),
    "ir": textual_ir,
    "csv": lambda dlg: tables(),
    "npy": lambda dlg: arrays(),
    "idx": lambda dlg: idx_arrays(),
    "npz": lambda dlg: archives(),
    "png": lambda dlg: pictures(),
    "safetensors": weights,
}


def seeds(target, dlg):
    """The files that a target begins with, each once."""
    return sorted({seed for seed in SEEDS[target](dlg) if len(seed) <= LONGEST})


def dictionary(files):
    """The words of all files in the format of libFuzzer: one could hardly guess `cross_entropy` letter by letter."""
    words = {word for text in files for word in WORD.findall(text) if len(word) <= LONGEST_WORD}
    return "".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in sorted(words))


def main():
    files = seeds("parser", None)
    missing = [name for name, form in FORMS.items() if not any(re.search(form, text, re.MULTILINE) for text in files)]
    for name in missing:
        print(f"no seed has {name}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
