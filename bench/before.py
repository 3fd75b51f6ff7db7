"""Owns the comparison with another commit: both programs run the same work in turns.

    before.py BUILD [--parts small,gemm,limits,maths,threads,start] [--quick]

BUILD is the folder with the other commit's dlg and bench_gemm. A ratio is the other's time over ours: below 1 we have become
slower. It is said twice: of the least times of all turns, which a neighbour on the machine disturbs least, and as the median of
the ratios of the turns with their spread. The table goes to standard output.
The part images comes last, for a commit whose language has no images ends there.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from turns import OUT, RELEASE, Dlg, copy_example, cpus, first_step, output_of, prepare, spread
from workloads import IMAGES, MATHS, WORKLOADS

SMALL_STEPS = 1_000_000
# "f32 peak 177 Gflop/s", and "256 256 256  14 rows x 2 vectors  X.W  89 %  Xt.dY  89 %": what the forms of a line of bench_gemm
# reach of it. Each process measures the peak for itself, so what is compared are the rates. The tile behind the sizes is a
# choice of that commit.
PEAK = re.compile(r"f32 peak (?P<rate>\d+(\.\d+)?)")
LINE = re.compile(r"^\s*(?P<what>\d+\s+\d+\s+\d+|\d+ rows x \d+ vectors)\s.*%")
FORM = re.compile(r"(?P<form>\S+\.\S+)\s+(?P<part>\d+(\.\d+)?) %")


def in_turns(ours, theirs, rounds):
    """What both measure in each round: (microseconds of a short run, of a long one), whose difference is the time. Who is first
    changes from round to round."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            our_time, their_time = ours(), theirs()
        else:
            their_time, our_time = theirs(), ours()
        pairs.append((our_time, their_time))
    return pairs


def least(runs):
    """The least long run less the least short one: the least difference would have a disturbed short run in it."""
    short, long = zip(*runs)
    return min(long) - min(short)


def alone(microseconds):
    """A time that no short run is taken off."""
    return 0.0, microseconds


def row(what, pairs):
    ours, theirs = zip(*pairs)
    now, before = least(ours), least(theirs)
    r = spread([(their[1] - their[0]) / (our[1] - our[0]) for our, their in pairs])
    return f"| {what} | {before:.4g} | {now:.4g} | {before / now:.3f} | {r['median']:.3f} ({r['min']:.3f}..{r['max']:.3f}) |"


def workloads(before, threads, rounds, seconds, which=WORKLOADS):
    for name, w in which.items():
        folder, program, more = prepare(w)
        ours = Dlg(folder, program, threads, seconds, more)
        theirs = Dlg(folder, program, threads, 0, more, before)
        theirs.steps = ours.steps
        yield row(f"{name}, {threads} thread{'s' if threads > 1 else ''}, us", in_turns(ours.runs, theirs.runs, rounds))


def small(before, rounds, _seconds):
    folder = copy_example("backprop", ["net.dlg", "slide.csv"])
    both = [Dlg(folder, "net.dlg", 1, 0, build=build) for build in (RELEASE, before)]
    for dlg in both:
        dlg.steps = SMALL_STEPS
    yield row("2-2-2, us", in_turns(*(dlg.runs for dlg in both), rounds))


def gemm(before, rounds, _seconds):
    """Contractions: bench_gemm takes the best of many short rounds itself."""

    def parts(build):
        text = output_of(["taskset", "-c", cpus(1), build / "bench_gemm"])
        peak = float(PEAK.search(text)["rate"])
        return {f"{line['what']} {found['form']}": 1e5 / (peak * float(found["part"]))
                for line in map(LINE.match, text.splitlines()) if line for found in FORM.finditer(line[0])}

    pairs = in_turns(lambda: parts(RELEASE), lambda: parts(before), max(1, rounds // 2))
    for what in pairs[0][0]:
        yield row(f"{what}, us per Gflop", [(alone(ours[what]), alone(theirs[what])) for ours, theirs in pairs if what in theirs])


def start(before, rounds, _seconds):
    digits = ("digits", "mlp.dlg", copy_example("digits", ["mlp.dlg", "digits.csv"]), ())
    where, program, more = prepare(WORKLOADS["W2a"])
    for name, file, folder, options in (digits, ("W2a", program, where, more)):
        caches = {build: OUT / f"objects-{i}" for i, build in enumerate((RELEASE, before))}

        def cold(build):
            shutil.rmtree(caches[build], ignore_errors=True)
            return alone(first_step(file, folder, caches[build], options, build)[1] * 1e6)

        def cached(build):
            return alone(first_step(file, folder, caches[build], options, build)[1] * 1e6)

        for kind, seconds in (("cold", cold), ("cached", cached)):
            yield row(f"{name} to the end of step 1, {kind}, us", in_turns(lambda: seconds(RELEASE), lambda: seconds(before), rounds))


PARTS = {
    "small": small,
    "gemm": gemm,
    "limits": lambda before, rounds, seconds: workloads(before, 1, rounds, seconds),
    "maths": lambda before, rounds, seconds: workloads(before, 1, rounds, seconds, MATHS),
    "threads": lambda before, rounds, seconds: workloads(before, 2, rounds, seconds),
    "start": start,
    "images": lambda before, rounds, seconds: workloads(before, 1, rounds, seconds, IMAGES),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="short windows, few rounds")
    args = parser.parse_args()
    rounds, seconds = (5, 0.1) if args.quick else (9, 0.3)
    OUT.mkdir(parents=True, exist_ok=True)
    print("| | before, least | now, least | before / now | median of the turns (spread) |\n|---|---|---|---|---|")
    for part in args.parts.split(","):
        for line in PARTS[part](args.before.resolve(), rounds, seconds):
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
