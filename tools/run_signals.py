#!/usr/bin/env python3
"""Checks what only a process shows: a training and a race that are stopped by signals, missing memory, a terminal and
output that is appended to a file.

    run_signals.py BUILD_FOLDER
"""

import os
import pty
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMEOUT = 60  # seconds until a training has to show its first epoch, or to have ended
ENDLESS = """dlg 1
model point() -> [] {
  param w: [] = 1
  return w^2
}
train {
  minimize  = point()
  optimizer = sgd(lr = 1e-9)
  stop      = [loss < -1]
}
"""
# The second rule takes a million steps of which each is looked at.
RACE = """dlg 1
fn bowl(w: [2]) -> [] = sum(w^2)
race "endless" {
  minimize = bowl
  start    = [1.0, 1.0]
  with     = [newton(), sgd(lr = 1e-9), sgd(lr = 2e-9), sgd(lr = 3e-9)]
  stop     = [loss < 1e-12, 1000000 steps]
  plot     = contour(x = [-2, 2], y = [-2, 2], levels = 5)
}
"""
RACE_FILES = {"model.dlg", "race.svg", "race.html", "race.csv", "race.tex"}
LARGE = """dlg 1
dim wide = 20000
model point() -> [] {
  param w: [wide, wide] = 1
  return sum(w)
}
train {
  minimize  = point()
  optimizer = adam()
  stop      = [1 steps]
}
"""


class Training:
    """A training in a folder of its own, started and under way."""

    def __init__(self, dlg, folder):
        self.folder = Path(folder)
        (self.folder / "net.dlg").write_text(ENDLESS)
        self.process = subprocess.Popen(
            [dlg, "train", "net.dlg"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.process.stderr.readline()  # the first line of progress: the loop runs

    def stop(self, *signals):
        """Sends the signals, one right after the other; answers the exit code."""
        for number in signals:
            self.process.send_signal(number)
        self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode

    def has_weights(self):
        return any(self.folder.glob("runs/*/weights.safetensors"))


def stopped_once(dlg, number):
    """One signal ends the training after the step, with everything saved."""
    with tempfile.TemporaryDirectory(prefix="dlg-signals-") as folder:
        training = Training(dlg, folder)
        code = training.stop(number)
        if code != 128 + number:
            yield f"{number.name}: exit code {code}, expected {128 + number}"
        if not training.has_weights():
            yield f"{number.name}: no weights were saved"
        run = subprocess.run([dlg, "eval", "net.dlg"], cwd=folder, capture_output=True, text=True)
        if run.returncode != 0:
            yield f"{number.name}: the weights cannot be evaluated: {run.stderr}"


def stopped_twice(dlg):
    """A second Ctrl-C ends at once: the process is frozen while both signals are sent, so no save comes between."""
    with tempfile.TemporaryDirectory(prefix="dlg-signals-") as folder:
        training = Training(dlg, folder)
        training.process.send_signal(signal.SIGSTOP)
        # Two signals of one kind merge while they are pending; SIGINT and SIGTERM do not.
        code = training.stop(signal.SIGINT, signal.SIGTERM, signal.SIGCONT)
        if code not in (128 + signal.SIGINT, 128 + signal.SIGTERM):
            yield f"two signals: exit code {code}, expected 130 or 143"
        if training.has_weights():
            yield "two signals: weights were saved, but the second signal ends at once"


def race_stopped(dlg, number):
    """A signal ends a race with the rule under way; what was run until then is shown and written."""
    with tempfile.TemporaryDirectory(prefix="dlg-signals-") as folder:
        (Path(folder) / "net.dlg").write_text(RACE)
        cache = Path(folder) / "cache"
        race = subprocess.Popen(
            [dlg, "race", "net.dlg"], cwd=folder, env=os.environ | {"DLG_CACHE_DIR": str(cache)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        # The objective, then one object for each rule: the second rule is there once its object is.
        begin = time.monotonic()
        while race.poll() is None and time.monotonic() < begin + TIMEOUT and len(list(cache.glob("*"))) < 3:
            time.sleep(0.01)
        race.send_signal(number)
        out, err = race.communicate(timeout=TIMEOUT)
        if race.returncode != 128 + number:
            yield f"a race, {number.name}: exit code {race.returncode}, expected {128 + number}; it said {out}{err}"
        for words in ("interrupted after ", "interrupted: 1 of 4 rules came to their end"):
            if words not in out:
                yield f"a race, {number.name}: the table does not say `{words}`: {out}"
        written = {path.name for path in Path(folder).glob("runs/*/*")}
        if written != RACE_FILES:
            yield f"a race, {number.name}: it wrote {sorted(written)}"


def out_of_memory(dlg):
    """A limit on the address space makes allocations fail; that is an error of the environment, not a crash."""
    limit = 3 << 30

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    with tempfile.TemporaryDirectory(prefix="dlg-signals-") as folder:
        (Path(folder) / "net.dlg").write_text(LARGE)
        run = subprocess.run(
            [dlg, "train", "net.dlg"], cwd=folder, preexec_fn=limited, capture_output=True, text=True, timeout=TIMEOUT
        )
        if run.returncode != 3 or "DLG0915" not in run.stderr:
            yield f"out of memory: exit code {run.returncode}, expected 3 with DLG0915; it said {run.stderr}"


# An epoch takes long enough that the progress line is drawn in the midst of the first one.
SLOW = """dlg 1
dim wide = 300
data d {
  file = csv("rows.csv")
  x = columns(0..7)
  t = column(8)
}
model net(x: [8]) -> [] {
  y = x |> dense(wide, tanh) |> dense(wide, tanh) |> dense(1)
  return y[0]
}
train {
  minimize  = mse(net(d.x), d.t)
  optimizer = sgd(lr = 1e-3)
  batch     = 1
  stop      = [1 epochs]
}
"""


def rows_of_numbers(count):
    header = ",".join(f"c{i}" for i in range(9))
    return "\n".join([header, *(",".join(str((i * k) % 7 / 7) for k in range(1, 10)) for i in range(count))]) + "\n"


def read_terminal(command, folder):
    """All that a command says on a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=os.environ | {"TERM": "xterm"})
    os.close(slave)
    said = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        said += part
    os.close(master)
    process.wait(timeout=TIMEOUT)
    return said.decode()


def progress_of_first_epoch(dlg):
    """The progress line shows a number from the first on."""
    with tempfile.TemporaryDirectory(prefix="dlg-signals-") as folder:
        (Path(folder) / "net.dlg").write_text(SLOW)
        (Path(folder) / "rows.csv").write_text(rows_of_numbers(3000))
        said = read_terminal([dlg, "train", "net.dlg"], folder)
        first = said.split("\x1b[K")[0]
        if not first.lstrip("\r").startswith("epoch 0/1  step 1  loss ") or "nan" in said:
            yield f"the progress line begins with {first!r}"
        if "loss(avg)" not in said:
            yield f"the progress line never shows the mean loss of an epoch: {said!r}"


def appended_to_input(dlg):
    """Standard output that the shell appends to an input is refused, and the input keeps its bytes."""
    with tempfile.TemporaryDirectory(prefix="dlg-signals-") as folder:
        (Path(folder) / "net.dlg").write_text(SLOW)
        (Path(folder) / "rows.csv").write_text(rows_of_numbers(20))
        subprocess.run([dlg, "train", "net.dlg", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for words, name in ((("check", "net.dlg"), "net.dlg"), (("eval", "net.dlg"), "rows.csv"),
                            (("predict", "net.dlg", "rows.csv"), "rows.csv"), (("train", "net.dlg"), "rows.csv")):  # fmt: skip
            before = (Path(folder) / name).read_bytes()
            with open(Path(folder) / name, "ab") as output:
                run = subprocess.run([dlg, *words], cwd=folder, stdout=output, stderr=subprocess.PIPE, text=True)
            if run.returncode != 1 or "DLG0630" not in run.stderr or (Path(folder) / name).read_bytes() != before:
                yield f"dlg {' '.join(words)} >> {name}: exit code {run.returncode}, it said {run.stderr}"


def main():
    dlg = str(Path(sys.argv[1]).resolve() / "dlg")
    errors = [*stopped_once(dlg, signal.SIGINT), *stopped_once(dlg, signal.SIGTERM), *stopped_twice(dlg)]
    errors += [*race_stopped(dlg, signal.SIGINT), *race_stopped(dlg, signal.SIGTERM), *out_of_memory(dlg)]
    errors += [*progress_of_first_epoch(dlg), *appended_to_input(dlg)]
    print("\n".join(errors) if errors else "signals, missing memory, a terminal and appended output: all as it should be")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
