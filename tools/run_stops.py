#!/usr/bin/env python3
"""Kills and interrupts trainings at random moments and checks that nothing is lost or half written.

    run_stops.py BUILD_FOLDER [KILLS] [INTERRUPTS]

The program has mini-batches, a ragged last batch, adam, a rate and a stop that look at the validation part, two threads,
and is saved all the time. Most of them write to memory, where a sync costs nothing; a twentieth writes to the disk. After a kill
`dlg eval` works on what remains or says that nothing was saved yet. After an interrupt `--resume` goes on, and ends
with the bytes of a training that was never stopped.
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memory_folder import memory_folder

TIMEOUT = 60  # seconds until any of the commands must have ended
SEED = int(os.environ.get("DLG_STOPS_SEED", "1"))
PROGRAM = """dlg 1
dim wide = 96
data d {
  file = csv("rows.csv")
  x    = columns(0..7)
  t    = class(column(8))
  split = shares(train = 0.75, val = 0.25)
}
model net(x: [n]) -> [3] {
  return x |> dense(wide, relu) |> dense(3)
}
train {
  minimize  = cross_entropy(net(d.x), d.t)
  optimizer = adam(lr = plateau(1e-2, patience = 2 epochs, factor = 0.5))
  batch     = 64
  stop      = [40 epochs, plateau(val.loss, patience = 30 epochs)]
}
"""
# What `dlg eval` may say where nothing was saved.
NOTHING_SAVED = ("DLG0611", "DLG0612")
# What `--resume` says of a training that came to its end.
HAS_ENDED = "DLG0614"


class Folder:
    """A working folder with the program and its data; runs of it go to runs/."""

    def __init__(self, dlg, path):
        self.dlg, self.path = dlg, Path(path)
        (self.path / "net.dlg").write_text(PROGRAM)
        rows = random.Random(7)
        lines = [[f"{rows.gauss(0, 1):.3f}" for _ in range(8)] + [rows.choice("abc")] for _ in range(333)]
        header = [f"c{i}" for i in range(8)] + ["label"]
        (self.path / "rows.csv").write_text("\n".join(map(",".join, [header, *lines])) + "\n")
        self.environment = os.environ | {"DLG_CACHE_DIR": str(self.path / "cache")}

    def command(self, *words):
        return [self.dlg, *words, "--threads", "2"]

    def start(self, *words):
        return subprocess.Popen(
            self.command("train", "net.dlg", "--quiet", *words), cwd=self.path, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words):
        return subprocess.run(
            self.command(*words), cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT
        )

    def stop_after(self, seconds, number, *words):
        """Starts a training, sends a signal; answers its exit code and what it said."""
        process = self.start("--save-every", "0", *words)
        time.sleep(seconds)
        process.send_signal(number)
        said = process.communicate(timeout=TIMEOUT)[1]
        return process.returncode, said

    def runs(self):
        return sorted((self.path / "runs").glob("*")) if (self.path / "runs").exists() else []

    def clear(self):
        shutil.rmtree(self.path / "runs", ignore_errors=True)


def tensor_file_fault(path):
    """Why this is no whole safetensors file, or nothing."""
    data = path.read_bytes()
    if len(data) < 8 or len(data) - 8 < struct.unpack("<Q", data[:8])[0]:
        return f"{path.name} is cut short"
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return "" if max(ends, default=0) == len(data) - end else f"{path.name} has another length than its header says"


def file_fault(path):
    """What is half of this file, or nothing. Temporary files may be anything."""
    if path.suffix == ".tmp":
        return ""
    if path.suffix == ".safetensors":
        return tensor_file_fault(path)
    if path.name == "run.json":
        json.loads(path.read_text())
    if path.name == "log.jsonl":
        for line in path.read_text().splitlines():
            json.loads(line)
    if path.name == "model.dlg" and path.read_text() != PROGRAM:
        return "model.dlg is not the program"
    return ""


def half_files(folder):
    for run in folder.runs():
        for path in run.iterdir():
            try:
                fault = file_fault(path)
            except ValueError as error:
                fault = f"{path.name}: {error}"
            if fault:
                yield fault


def killed(folder, seconds):
    """One training, killed after some time."""
    folder.clear()
    folder.stop_after(seconds, signal.SIGKILL)
    yield from half_files(folder)
    done = folder.run("eval", "net.dlg")
    if done.returncode == 0:
        return
    if done.returncode != 1 or not any(code in done.stderr for code in NOTHING_SAVED):
        yield f"eval: exit code {done.returncode}: {done.stderr}"


def saved_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.runs()[-1].glob("*.safetensors")}


def interrupted(folder, moments, reference):
    """One training, interrupted and resumed after each of some times, then to its end."""
    folder.clear()
    words = []
    for seconds in moments:
        code, said = folder.stop_after(seconds, signal.SIGINT, *words)
        yield from half_files(folder)
        # The signal before came when the training was at its end.
        if code == 1 and HAS_ENDED in said:
            break
        # Before main there is no handler yet.
        if code not in (0, 128 + signal.SIGINT, -signal.SIGINT):
            yield f"exit code {code} after an interrupt: {said}"
        has_saved = any((run / "weights.safetensors").exists() for run in folder.runs())
        words = ["--resume"] if has_saved else []
        if code == 0:
            break
    else:
        done = folder.run("train", "net.dlg", "--quiet", *words)
        if done.returncode != 0 and HAS_ENDED not in done.stderr:
            yield f"resume: exit code {done.returncode}: {done.stderr}"
            return
    if saved_bytes(folder) != reference:
        yield f"the files differ from those of a training that was not stopped ({moments})"


def at_once(folder):
    """Two trainings at the same time get two folders."""
    folder.clear()
    processes = [folder.start(), folder.start()]
    codes = [process.wait(timeout=TIMEOUT) for process in processes]
    for process in processes:
        process.communicate()
    weights = {(run / "weights.safetensors").read_bytes() for run in folder.runs()}
    if codes != [0, 0] or len(folder.runs()) != 2 or len(weights) != 1:
        yield f"two at once: exit codes {codes}, runs {[run.name for run in folder.runs()]}"


def stopped_trainings(folder, kills, interrupts, moments):
    """Trainings in one folder, each stopped at moments of its own; yields what went wrong."""
    folder.run("train", "net.dlg", "--quiet")  # fills the cache
    folder.clear()
    begin = time.monotonic()
    folder.run("train", "net.dlg", "--quiet", "--save-every", "0")
    whole = time.monotonic() - begin
    reference = saved_bytes(folder)
    for _ in range(kills):
        yield from killed(folder, moments.uniform(0, whole))
    for _ in range(interrupts):
        yield from interrupted(folder, [moments.uniform(0, whole) for _ in range(2)], reference)
    yield from at_once(folder)


def main():
    dlg = str(Path(sys.argv[1]).resolve() / "dlg")
    kills, interrupts = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 200), (3, 50)))
    moments = random.Random(SEED)
    errors = []
    in_memory = [count * 19 // 20 for count in (kills, interrupts)]
    on_disk = [kills - in_memory[0], interrupts - in_memory[1]]
    for root, counts in ((memory_folder(), in_memory), (None, on_disk)):
        with tempfile.TemporaryDirectory(prefix="dlg-stops-", dir=root) as path:
            errors += stopped_trainings(Folder(dlg, path), *counts, moments)
    print("\n".join(errors) if errors else f"{kills} kills and {interrupts} interrupts (seed {SEED}): nothing was lost")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
