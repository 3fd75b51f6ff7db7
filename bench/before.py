"""Owns the comparison with another commit: both programs run the same work in turns.

    before.py BUILD [--parts small,gemm,limits,maths,threads,start] [--quick]

BUILD is the folder with the other commit's dlg and bench_gemm. A ratio is the other's time over ours, the median of the ratios
of the turns: below 1 we have become slower. The table goes to standard output.
"""

import argparse
import re
import shutil
import statistics
import sys
from pathlib import Path

from turns import OUT, RELEASE, Dlg, copy_example, cpus, first_step, output_of, prepare, spread
from workloads import MATHS, WORKLOADS

SMALL_STEPS = 1_000_000
# "256 x 256 x 256 ... 95.1 %": what a line of bench_gemm reaches of the multiply-add rate.
PERCENT = re.compile(r"^(?P<what>.*?\S)\s+(?P<part>\d+(\.\d+)?) %", re.MULTILINE)


def in_turns(ours, theirs, rounds):
    """Microseconds of both in each round. Who is first changes from round to round."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            our_time, their_time = ours(), theirs()
        else:
            their_time, our_time = theirs(), ours()
        pairs.append((our_time, their_time))
    return pairs


def row(what, pairs):
    ours, theirs = zip(*pairs)
    r = spread([before / now for now, before in pairs])
    return f"| {what} | {statistics.median(theirs):.4g} | {statistics.median(ours):.4g} | {r['median']:.3f} ({r['min']:.3f}..{r['max']:.3f}) |"


def workloads(before, threads, rounds, seconds, which=WORKLOADS):
    for name, w in which.items():
        folder, program, more = prepare(w)
        ours = Dlg(folder, program, threads, seconds, more)
        theirs = Dlg(folder, program, threads, 0, more, before)
        theirs.steps = ours.steps
        yield row(f"{name}, {threads} thread{'s' if threads > 1 else ''}, us", in_turns(ours.window, theirs.window, rounds))


def small(before, rounds, _seconds):
    folder = copy_example("backprop", ["net.dlg", "slide.csv"])
    both = [Dlg(folder, "net.dlg", 1, 0, build=build) for build in (RELEASE, before)]
    for dlg in both:
        dlg.steps = SMALL_STEPS
    yield row("2-2-2, us", in_turns(*(dlg.window for dlg in both), rounds))


def gemm(before, rounds, _seconds):
    """Contractions: bench_gemm takes the best of many short rounds itself."""

    def parts(build):
        text = output_of(["taskset", "-c", cpus(1), build / "bench_gemm"])
        return {found["what"]: 1 / float(found["part"]) for found in PERCENT.finditer(text)}

    pairs = in_turns(lambda: parts(RELEASE), lambda: parts(before), max(1, rounds // 2))
    for what in pairs[0][0]:
        yield row(f"{what}, 1 / %", [(ours[what], theirs[what]) for ours, theirs in pairs if what in theirs])


def start(before, rounds, _seconds):
    digits = ("digits", "mlp.dlg", copy_example("digits", ["mlp.dlg", "digits.csv"]), ())
    where, program, more = prepare(WORKLOADS["W2a"])
    for name, file, folder, options in (digits, ("W2a", program, where, more)):
        caches = {build: OUT / f"objects-{i}" for i, build in enumerate((RELEASE, before))}

        def cold(build):
            shutil.rmtree(caches[build], ignore_errors=True)
            return first_step(file, folder, caches[build], options, build)[1] * 1e6

        def cached(build):
            return first_step(file, folder, caches[build], options, build)[1] * 1e6

        for kind, seconds in (("cold", cold), ("cached", cached)):
            yield row(f"{name} to the end of step 1, {kind}, us", in_turns(lambda: seconds(RELEASE), lambda: seconds(before), rounds))


PARTS = {
    "small": small,
    "gemm": gemm,
    "limits": lambda before, rounds, seconds: workloads(before, 1, rounds, seconds),
    "maths": lambda before, rounds, seconds: workloads(before, 1, rounds, seconds, MATHS),
    "threads": lambda before, rounds, seconds: workloads(before, 2, rounds, seconds),
    "start": start,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="short windows, few rounds")
    args = parser.parse_args()
    rounds, seconds = (5, 0.1) if args.quick else (9, 0.3)
    OUT.mkdir(parents=True, exist_ok=True)
    print("| | before | now | before / now |\n|---|---|---|---|")
    for part in args.parts.split(","):
        for line in PARTS[part](args.before.resolve(), rounds, seconds):
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
