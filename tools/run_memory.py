#!/usr/bin/env python3
"""Checks how much memory dlg takes, by the kernel's own figure: the most that was resident at once.

    run_memory.py BUILD_FOLDER

A training holds its states twice, in use and as a good state to go back to; all else is small. The bound leaves room for
half of the states once more.
"""

import array
import os
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH = 1536
ROWS = 64
LAYERS = 3
BEST = "plateau(val.loss, patience = 3 epochs)"


def program(stop):
    params = "\n".join(f"  param W{k}: [hidden{k}, {'wide' if k == 1 else f'hidden{k - 1}'}] = he_uniform()\n  param b{k}: [hidden{k}] = 0"
                       for k in range(1, LAYERS + 1))
    layers = "\n".join(f"  h{k} = relu(W{k} @ {'x' if k == 1 else f'h{k - 1}'} + b{k})" for k in range(1, LAYERS))
    dims = "\n".join(f"dim hidden{k} = {WIDTH}" for k in range(1, LAYERS + 1))
    return f"""dlg 1
dim wide = {WIDTH}
{dims}
data rows {{
  x = npy("x.npy")
  t = npy("t.npy")
  split = shares(train = 0.5, val = 0.5)
}}
model net(x: [wide]) -> [hidden{LAYERS}] {{
{params}
{layers}
  return W{LAYERS} @ h{LAYERS - 1} + b{LAYERS}
}}
train {{
  minimize  = mse(net(rows.x), rows.t)
  optimizer = adam(lr = 1e-4)
  batch     = {ROWS // 2}
  stop      = {stop}
  predict   = net(rows.x)
}}
"""


def write_npy(path):
    numbers = array.array("f", ((37 * i % 101) / 101 - 0.5 for i in range(ROWS * WIDTH)))
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({ROWS}, {WIDTH}), }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + numbers.tobytes())


def peak_of(command, folder):
    """Bytes."""
    with open(folder / "output.txt", "w") as output:
        child = subprocess.Popen([str(word) for word in command], cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{(folder / 'output.txt').read_text()}")
    return usage.ru_maxrss * 1024


def main():
    dlg = Path(sys.argv[1]).resolve() / "dlg"
    weights = 4 * LAYERS * (WIDTH * WIDTH + WIDTH)
    states = 3 * weights
    calls = {
        "train": (states, ["train", "net.dlg", "--quiet"]),
        # Long enough for a save while it goes on.
        "train --save-every": (states, ["train", "net.dlg", "--quiet", "--save-every", "1", "--set", "stop=[3 seconds]"]),
        "train --resume": (states, ["train", "net.dlg", "--quiet", "--resume", "1", "--set", "stop=2 epochs"]),
        "train --init": (states, ["train", "net.dlg", "--quiet", "--init", "runs/0001-net/weights.safetensors"]),
        # The best weights are kept beside the last ones.
        "train with a plateau": (states + weights, ["train", "net.dlg", "--quiet", "--set", f"stop=[{BEST}, 2 epochs]"]),
        "eval": (weights, ["eval", "net.dlg", "--run", "1"]),
        "predict": (weights, ["predict", "net.dlg", "x.npy", "--run", "1", "--out", "y.csv"]),
    }
    errors = []
    with tempfile.TemporaryDirectory(prefix="dlg-memory-") as name:
        folder = Path(name)
        (folder / "net.dlg").write_text(program("[1 epochs]"))
        for file in ("x.npy", "t.npy"):
            write_npy(folder / file)
        for what, (held, words) in calls.items():
            bound = 2.5 * held + 120e6
            peak = peak_of([dlg, *words], folder)
            print(f"{what}: {peak / 1e6:.0f} MB, at most {bound / 1e6:.0f}")
            if peak > bound:
                errors.append(what)
    if errors:
        print("too much memory: " + ", ".join(errors))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
