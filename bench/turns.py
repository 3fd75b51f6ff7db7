"""Owns what the measurements share: trainings whose windows are taken in turns, and the folders they run in."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from workloads import export, program

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
RELEASE = ROOT / "build" / "release"


def cpus(threads):
    """The last ones: the first serves most interrupts."""
    return ",".join(str(c) for c in sorted(os.sched_getaffinity(0))[-threads:])


def output_of(command, **options):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if result.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stderr}")
    return result.stdout


def spread(ratios):
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


class Dlg:
    """Trains a program in a folder of its own; a window is a long run less a short one. `build` has the program dlg."""

    def __init__(self, folder, program, threads, seconds, more=(), build=RELEASE, cores=None):
        self.folder = folder
        self.command = ["taskset", "-c", cpus(cores or threads), build / "dlg", "train", program, "--quiet", "--json", "--threads", threads, *more]
        self.steps = 1
        while (took := self.train(self.steps)) < seconds / 2:
            self.steps = int(self.steps * min(8, max(2, 0.7 * seconds / max(took, 1e-9))))

    def train(self, steps, look=lambda run: None):
        """The seconds of the steps. `look` is shown the folder of the run, which is removed then: large weights fill a disk."""
        told = json.loads(output_of([*self.command, "--set", f"stop={steps} steps"], cwd=self.folder))
        run = self.folder / told["run"]
        look(run)
        shutil.rmtree(run)
        return told["seconds"]

    def runs(self):
        """The microseconds a step of a short and a long run, whose difference is a window: what both pay is not in it."""
        return tuple(self.train(k * self.steps) / (2 * self.steps) * 1e6 for k in (1, 3))

    def window(self):
        short, long = self.runs()
        return long - short


def first_step(program, where, cache, more=(), build=RELEASE):
    """The table of stages and the seconds from the start of main to the end of step 1."""
    env = os.environ | {"DLG_CACHE_DIR": str(cache)}
    command = ["taskset", "-c", cpus(1), build / "dlg", "train", program, "--quiet", "--json", "--time-passes", "--set", "stop=1 steps", *more]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=where, env=env, check=True)
    shutil.rmtree(where / json.loads(done.stdout)["run"])
    table = done.stderr
    total = next(line for line in table.splitlines() if line.startswith("sum "))
    return table, float(total.split()[1]) / 1e3


# Runs a command and prints its seconds and the most bytes that were resident. A process of its own: the kernel counts what
# was resident in a process when it forked as the child's, and this one may hold gigabytes.
LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(json.dumps([time.perf_counter() - start, usage.ru_maxrss * 1024]))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def whole_run(program, where, more=(), build=RELEASE):
    """The seconds of a training of one step as a process, initial values and saving included, and the bytes that were resident at most."""
    command = ["taskset", "-c", cpus(1), build / "dlg", "train", program, "--quiet", "--set", "stop=1 steps", *more]
    done = subprocess.run([sys.executable, "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True, cwd=where)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")
    shutil.rmtree(where / "runs")
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def copy_example(name, files):
    """A folder with files of examples/NAME."""
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file).write_bytes((ROOT / "examples" / name / file).read_bytes())
    return folder


def prepare(w):
    folder = OUT / w.name
    if not (folder / "x.npy").exists():
        export(w, folder)
    path = folder / f"{w.name}.dlg"
    path.write_text(program(w))
    return folder, path.name, ["--init", "weights.safetensors", "--init-map", "param.=net."]
