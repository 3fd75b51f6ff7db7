#!/usr/bin/env python3
"""Runs every fuzz target for some time, from seeds of the source tree.

    run_fuzz.py FUZZ_BUILD_FOLDER BUILD_FOLDER [SECONDS]

Inputs that were found interesting stay in FUZZ_BUILD_FOLDER/corpus for the next time. A finding is printed with the
file that holds it.
"""

import os
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_files import ROOT

SECONDS = 600
LIMITS = ["-timeout=5", "-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"]


def programs():
    return [path.read_bytes() for path in sorted([*ROOT.glob("examples/*/*.dlg"), *ROOT.glob("std/*.dlg")])]


def textual_ir(dlg):
    """The graphs and the loops of the small examples."""
    for example in ["backprop/net.dlg", "xor/xor.dlg", "optimizers/linear_regression.dlg"]:
        for stage in ["graph", "backward", "update", "fused", "loops"]:
            shown = subprocess.run(
                [dlg, "show", str(ROOT / "examples" / example), "--stage", stage], capture_output=True, check=True
            )
            yield shown.stdout


def tables():
    lines = (ROOT / "examples/digits/digits.csv").read_bytes().splitlines(keepends=True)
    return [b"".join(lines[:3]), b'x,"a ""b"""\r\n1.5,-2e-3\n"3",4', b"\xef\xbb\xbfx,t\n1,cat\n2,dog\n", b"a;b\n1,5;2\n"]


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


def weights(dlg):
    with tempfile.TemporaryDirectory() as folder:
        program = ROOT / "examples/xor/xor.dlg"
        subprocess.run([dlg, "train", program, "--quiet"], cwd=folder, capture_output=True, check=True)
        return [path.read_bytes() for path in sorted(Path(folder).rglob("*.safetensors"))]


def fuzz(build, name, seeds, seconds):
    """One target; answers its name, whether it found something, and the end of what it said."""
    corpus, start = build / "corpus" / name, build / "seeds" / name
    for folder in (corpus, start):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (start / f"{number:03}").write_bytes(seed)
    findings = f"-artifact_prefix={build}/finding_{name}_"
    done = subprocess.run(
        [build / f"fuzz_{name}", f"-max_total_time={seconds}", findings, *LIMITS, corpus, start],
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    return name, done.returncode != 0, done.stderr[-3000:]


def main():
    build, dlg = Path(sys.argv[1]).resolve(), str(Path(sys.argv[2]).resolve() / "dlg")
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    seeds = {
        "parser": programs(), "ir": list(textual_ir(dlg)), "csv": tables(), "npy": list(arrays()),
        "safetensors": weights(dlg),
    }  # fmt: skip
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(lambda name: fuzz(build, name, seeds[name], seconds), seeds))
    for name, has_finding, text in results:
        runs = [line.split()[-1] for line in text.splitlines() if "number_of_executed_units" in line]
        print(f"{name}: {'FINDING' if has_finding else 'no finding'} in {seconds} s, {(runs or ['?'])[-1]} runs")
        if has_finding:
            print(text)
    return 1 if any(has_finding for _, has_finding, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
