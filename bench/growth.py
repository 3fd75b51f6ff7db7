"""Owns how the time of a step and of its compilation grow: with width, depth, batch, and beside round sizes.

A figure is the least of the rounds; an exponent is the slope between neighbours of the table on logarithmic scales: 1 is
linear in the multiply-adds of the step (in the layers, for compilation).
"""

import math
import shutil

from turns import OUT, Dlg, first_step, prepare
from workloads import LAYER_KINDS, Workload, layers

WIDTHS = (64, 128, 256, 512, 1024, 2048)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
DEPTHS = (1, 4, 16, 64)
# A round size and an odd one beside it; wanted: at most so many times the time of a multiply-add.
NEIGHBOURS = ((32, 33), (64, 65), (96, 100), (128, 129), (1024, 1023))
WANTED_NEIGHBOUR = 1.3
WANTED_EXPONENT = 1.1


def network(width, batch, depth=2):
    return Workload(f"g{width}x{depth}b{batch}", (width,) * (depth + 1), batch, "sgd", 0.1, "relu", "mse")


def least_times(workloads, rounds, seconds):
    """Microseconds of a step of each. The data of one at a time are on the disk."""
    rows = []
    for w in workloads:
        folder, program, more = prepare(w)
        dlg = Dlg(folder, program, 1, seconds, more)
        short, long = zip(*(dlg.runs() for _ in range(rounds)))
        rows.append({"flops": w.flops, "us": min(long) - min(short)})
        shutil.rmtree(folder)
    return rows


def compile_times(kind, rounds):
    """Milliseconds from the loops to the object for so many layers."""
    rows = []
    for depth in DEPTHS:
        folder, program, more = prepare(layers(depth, kind))
        ms = []
        for _ in range(rounds):
            shutil.rmtree(OUT / "objects", ignore_errors=True)
            table, _ = first_step(program, folder, OUT / "objects", more)
            stages = dict(line.rsplit(None, 1) for line in table.splitlines() if line.startswith("step: "))
            ms.append(sum(float(stages[f"step: {stage}"]) for stage in ("emit", "optimise", "object")))
        rows.append({"layers": depth, "ms": min(ms)})
        shutil.rmtree(folder)
    return rows


def measure(rounds, seconds):
    return {
        "width": [{"width": n} | row for n, row in zip(WIDTHS, least_times((network(n, 64) for n in WIDTHS), rounds, seconds))],
        "batch": [{"batch": n} | row for n, row in zip(BATCHES, least_times((network(256, n) for n in BATCHES), rounds, seconds))],
        "depth": [{"layers": n} | row for n, row in zip(DEPTHS, least_times((network(64, 32, n) for n in DEPTHS), rounds, seconds))],
        "neighbours": [{"size": n} | row for n, row in
                       zip(sum(NEIGHBOURS, ()), least_times((network(n, n) for n in sum(NEIGHBOURS, ())), rounds, seconds))],
        "compile": {kind: compile_times(kind, rounds) for kind in LAYER_KINDS},
    }


def slopes(rows, work, time):
    """The exponent from each row to the next."""
    return [math.log(b[time] / a[time]) / math.log(b[work] / a[work]) for a, b in zip(rows, rows[1:])]


def table(rows, name, work, time, unit):
    yield f"| {name} | {unit} | exponent |"
    yield "|---|---|---|"
    for row, slope in zip(rows, ["-", *(f"{s:.2f}" for s in slopes(rows, work, time))]):
        yield f"| {row[name]} | {row[time]:.4g} | {slope} |"


def neighbours_table(rows):
    yield "| odd | ns a multiply-add | round | ns a multiply-add | ratio |"
    yield "|---|---|---|---|---|"
    by_size = {row["size"]: 2e3 * row["us"] / row["flops"] for row in rows}
    for even, odd in NEIGHBOURS:
        yield f"| {odd} | {by_size[odd]:.4f} | {even} | {by_size[even]:.4f} | **{by_size[odd] / by_size[even]:.2f}** |"


def section(told):
    yield "## Growth"
    yield ""
    yield ("Two layers (one for each of `layers`), relu, mean square error, sgd, one thread; least times. An exponent of 1 is linear in the multiply-adds, "
           f"wanted at most {WANTED_EXPONENT}; an odd size is wanted at most {WANTED_NEIGHBOUR} times as slow a multiply-add as its round neighbour.")
    for name in ("width", "batch"):
        yield from ["", *table(told[name], name, "flops", "us", "us")]
    yield from ["", *table(told["depth"], "layers", "flops", "us", "us")]
    yield from ["", *neighbours_table(told["neighbours"])]
    for kind, rows in told["compile"].items():
        yield from ["", f"Compilation of {kind} layers with adam, from loops to object:", "", *table(rows, "layers", "layers", "ms", "ms")]
