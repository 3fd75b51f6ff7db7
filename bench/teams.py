"""Owns what more workers bring: quiet, with a core that is busy elsewhere, and with more threads than cores.

Everybody trains the same number of steps in each round, with one thread and with so many in turns; a ratio is the time of one
thread over that of so many, of the sums over the rounds: what a user waits for.
"""

import os
import statistics
import subprocess
import sys
from contextlib import contextmanager

from turns import Dlg, cpus, prepare
from workloads import WORKLOADS

THREADS = (2, 3, 8, 64)
WORKLOAD = "W2a"
CORES = 2
WANTED_BUSY = 1 / 1.05


@contextmanager
def busy_core(is_busy):
    """Somebody else's program on the first of the cores that we use."""
    if not is_busy:
        yield
        return
    core = cpus(CORES).split(",")[0]
    other = subprocess.Popen(["taskset", "-c", core, sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def measure(rounds, is_quick):
    folder, program, more = prepare(WORKLOADS[WORKLOAD])
    runs = {count: Dlg(folder, program, count, 0, more, cores=CORES) for count in (1, *THREADS)}
    # The mean over some ten seconds: a training finds out how many workers pay while it runs.
    one_second = 8 / runs[1].train(8)
    steps = int(one_second * (2 if is_quick else 10))
    told = {}
    for kind in ("quiet", "busy"):
        with busy_core(kind == "busy"):
            told[kind] = {str(count): [run.train(steps) / steps * 1e6 for _ in range(max(1, rounds // 3))] for count, run in runs.items()}
    return told


def section(told):
    yield "## Threads"
    yield ""
    yield (f"{WORKLOAD} on {CORES} of {os.cpu_count()} cores, microseconds a step as the mean over some ten seconds, and the time of one thread over it. "
           f"Busy: another program runs on one of them all the time; wanted there: at least {WANTED_BUSY:.2f}.")
    yield ""
    yield "| threads | quiet | ratio | busy | ratio |"
    yield "|---|---|---|---|---|"
    for count in told["quiet"]:
        cells = []
        for kind in ("quiet", "busy"):
            us, alone = (statistics.fmean(told[kind][n]) for n in (count, "1"))
            cells += [f"{us:.4g}", f"{alone / us:.2f}"]
        yield f"| {count} | {' | '.join(cells)} |"
