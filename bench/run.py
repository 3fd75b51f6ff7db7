"""Owns the measurements of docs/performance.md: dlg against the limits of the machine and against its peers.

    run.py [--parts small,gemm] [--workloads W0,W2a] [--threads 1,2] [--quick]

Each part keeps its figures in build/bench/PART.json; the page is written anew from all that are there. What is compared
runs in turns, one window each, so that a change of the machine's clock hits everybody; a ratio is the median of
the ratios of the turns, its spread their smallest and largest.
"""

import argparse
import hashlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import growth
import teams
from images import NETS
from turns import OUT, ROOT, RELEASE, Dlg, copy_example, cpus, first_step, output_of, prepare, spread, whole_run
from workloads import ALL, CHECK_STEPS, CLIFFS, IMAGES, LARGE, LAYERS, WORKLOADS, loss_in_f64, mean_loss, parameters

# The last is for steps that are shorter than a call.
PEERS = ("torch", "torch.compile", "jax", "jax.scan", "jax.long")
LONG_FLOPS = 1e4
# A scan of a hundred longer steps takes minutes and saves nothing: their calls cost nothing beside them.
SCAN_FLOPS = 1e9
# Times faster than the best peer that we want to be, one thread.
WANTED = {"W0": 3, "W1a": 3, "W1b": 3, "W2a": 2, "W2b": 1.5, "W2c": 1.5, "W2s": 1.4, "W3": 2, "W4a": 1.8, "W4s": 1.4,
          "1024-1-1024": 1.2, "2048-1-2048": 1.2, "784-17": 1.25, "784-20": 1.25, "256^3x4096": 1.15, "1024^3x1024": 1.15, "2048^3x1024": 1.15,
          **dict.fromkeys(IMAGES, 1), "W5": 6, "W6": 2}
LOSS_TOLERANCE = 1e-4
# Two states, none of std's rules: what a user might write. std's adam is compared with it.
OWN_RULE = """optimizer own(lr, rho = 0.9, delta = 1e-8) {
  state m = 0
  state u = 0
  m <- rho * m + (1 - rho) * grad(theta)
  u <- max(0.999 * u, abs(grad(theta)))
  theta <- theta - lr / (1 - rho^step) * m / (u + delta)
}
"""
# Milliseconds to the end of step 1, cold and cached.
WANTED_START = {"digits": (75, 20), "64 equal layers": (500, "-"), "64 distinct layers": (5000, "-"), "gpt": (1000, "-")}
# Bytes that a training should have resident at most: its states so many times, and so many besides. Seconds of one step as
# a process, initial values and saving included.
WANTED_COPIES, WANTED_REST = 2, 100e6
WANTED_SECONDS = {"W4a": 1.0}
LIMITS = ("W2a", "W2b", "W2c", "W4a", "W4s")


def environment(threads):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    for library in ("OMP", "MKL", "OPENBLAS"):
        env[f"{library}_NUM_THREADS"] = str(threads)
    env |= {"JAX_PLATFORMS": "cpu", "TORCHINDUCTOR_CACHE_DIR": str(OUT / "inductor")}
    if threads == 1:
        env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return env


class Peer:
    def __init__(self, name, workload, threads, seconds):
        command = ["taskset", "-c", cpus(threads), sys.executable, ROOT / "bench" / "peers.py", name, workload, threads, seconds]
        log = open(OUT / f"{workload}.{name}.log", "w")
        self.child = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                      text=True, env=environment(threads))
        line = self.child.stdout.readline()
        self.told = json.loads(line) if line else None

    def window(self):
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return float(self.child.stdout.readline())

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def weights_of(run):
    """The parameters of a finished run, by the names of the workload."""
    import numpy as np

    blob = (run / "weights.safetensors").read_bytes()
    size = int.from_bytes(blob[:8], "little")
    result = {}
    for path, entry in json.loads(blob[8:8 + size]).items():
        if path == "__metadata__":
            continue
        begin, end = (8 + size + at for at in entry["data_offsets"])
        result[path.removeprefix("net.")] = np.frombuffer(blob[begin:end], np.float32).reshape(entry["shape"])
    return result


def told_by(peers, w, threads, seconds):
    """The peers that run, with what they said of themselves."""
    for name in peers:
        if w.flops > {"jax.long": LONG_FLOPS, "jax.scan": SCAN_FLOPS}.get(name, math.inf):
            continue
        started = Peer(name, w.name, threads, seconds)
        if started.told is None:
            print(f"{w.name}: {name} failed, see its log", file=sys.stderr)
            continue
        yield name, started


def exact_loss(w):
    """`loss_in_f64`, kept as long as the workloads stay the same: for a net of images it takes minutes."""
    texts = [(ROOT / "bench" / name).read_bytes() for name in ("workloads.py", "images.py")]
    key = hashlib.sha256(b"".join(texts)).hexdigest()
    file = OUT / f"{w.name}.exact.json"
    if file.exists():
        kept = json.loads(file.read_text())
        if kept["key"] == key:
            return kept["loss"]
    loss = loss_in_f64(w)
    file.write_text(json.dumps({"key": key, "loss": loss}))
    return loss


def measure_workload(w, threads, rounds, seconds):
    """Microseconds of everybody in each round."""
    folder, program, more = prepare(w)
    exact = exact_loss(w)
    dlg = Dlg(folder, program, threads, seconds, more)
    losses = {}
    dlg.train(w.check_steps, look=lambda run: losses.update(dlg=mean_loss(w, weights_of(run))))
    peers = dict(told_by(PEERS, w, threads, seconds))
    losses |= {name: peer.told["loss"] for name, peer in peers.items()}
    errors = {who: abs(loss - exact) / abs(exact) for who, loss in losses.items()}
    us = {who: [] for who in losses}
    for _ in range(rounds):
        us["dlg"].append(dlg.window())
        for peer, process in peers.items():
            us[peer].append(process.window())
    for process in peers.values():
        process.close()
    # A peer that trains something else is told apart, and does not count while another one is right.
    valid = [p for p in peers if errors[p] <= LOSS_TOLERANCE] or list(peers)
    best = min(valid, key=lambda p: statistics.median(us[p]))
    ratio = spread([theirs / ours for theirs, ours in zip(us[best], us["dlg"])])
    print(f"{w.name} x{threads}: dlg {statistics.median(us['dlg']):.3g} us, {best} {statistics.median(us[best]):.3g} us, "
          f"ratio {ratio['median']:.2f}, loss error {errors['dlg']:.0e}", file=sys.stderr, flush=True)
    return {"workload": w.name, "threads": threads, "us": us, "errors": errors, "best": best, "ratio": ratio}


def measure_peers(part, args, rounds, seconds):
    """An entry for each workload and number of threads; each is kept as soon as it is there, in the place of an older one."""
    group = {"peers": WORKLOADS, "images": IMAGES, "cliffs": CLIFFS}[part]
    threads = [1] if part == "cliffs" else [int(t) for t in args.threads.split(",")]
    entries = read(part) or []
    for name in args.workloads.split(",") if args.workloads else group:
        for count in threads:
            entry = measure_workload(group[name], count, rounds, seconds)
            kept = [e for e in entries if (e["workload"], e["threads"]) != (name, count)]
            entries = sorted([*kept, entry], key=lambda e: list(group).index(e["workload"]))
            (OUT / f"{part}.json").write_text(json.dumps(entries, indent=1))
    return entries


def measure_small(rounds):
    """2-2-2 in f64 against the same work by hand in C: 4,000,000 less 1,000,000 steps."""
    clang = next(c for c in ("clang", "clang-19", "clang-22", "cc") if subprocess.run(["which", c], capture_output=True).returncode == 0)
    by_hand = OUT / "two_neurons"
    output_of([clang, "-O3", "-march=native", ROOT / "bench" / "two_neurons.c", "-o", by_hand, "-lm"])
    folder = copy_example("backprop", ["net.dlg", "slide.csv"])
    dlg = Dlg(folder, "net.dlg", 1, 0)
    dlg.steps = 1_000_000
    pin = ["taskset", "-c", cpus(1)]

    def c_window():
        short, long = (float(output_of([*pin, by_hand, n, 0.5]).split()[0]) for n in (1_000_000, 4_000_000))
        return (long - short) / 3_000_000 * 1e9

    def dlg_window():
        short, long = (dlg.train(n) for n in (1_000_000, 4_000_000))
        return (long - short) / 3_000_000 * 1e9

    ns = {"dlg": [], "C": []}
    for _ in range(rounds):
        ns["dlg"].append(dlg_window())
        ns["C"].append(c_window())
    return {"ns": ns, "ratio": spread([c / d for c, d in zip(ns["C"], ns["dlg"])]), "compiler": clang}


def ceilings():
    return json.loads(output_of(["taskset", "-c", cpus(1), RELEASE / "bench_ceilings"]))


def limit_us(w, top):
    """The sum over the contractions of the larger of their multiply-adds and their traffic of weights and states."""
    arrays = 3 if w.rule == "adam" else 1
    total = 0.0
    for layer, (fan_in, fan_out) in enumerate(zip(w.sizes, w.sizes[1:])):
        compute = 2 * w.batch * fan_in * fan_out / top["fma_gflops"] * 1e-3
        bytes_of_weights = 4 * fan_in * fan_out
        rate = top["near_gbs"] if arrays * bytes_of_weights < 16e6 else top["far_gbs"]
        read = bytes_of_weights / rate * 1e-3
        total += max(compute, read) * (1 if layer == 0 else 2)
        total += max(compute, 2 * arrays * read)
    return total


def measure_limits(rounds, seconds):
    for name in LIMITS:
        w = WORKLOADS[name]
        folder, program, more = prepare(w)
        dlg = Dlg(folder, program, 1, seconds, more)
        us, parts = [], []
        for _ in range(rounds):
            top = ceilings()
            us.append(dlg.window())
            parts.append(limit_us(w, top) / us[-1])
        print(f"{name}: {statistics.median(us):.0f} us, {100 * statistics.median(parts):.0f} % of its limit", file=sys.stderr)
        yield {"workload": name, "us": us, "part": spread(parts), "ceilings": top}


def measure_rules(rounds, seconds):
    """A rule of a program's own with two states against std's adam, both on W2b."""
    folder, program, more = prepare(WORKLOADS["W2b"])
    text = (folder / program).read_text()
    (folder / "own_rule.dlg").write_text(text.replace("train {", OWN_RULE + "train {").replace("adam(lr", "own(lr"))
    rules = {"adam": Dlg(folder, program, 1, seconds, more), "own": Dlg(folder, "own_rule.dlg", 1, seconds, more)}
    us = {name: [] for name in rules}
    for _ in range(rounds):
        for name, dlg in rules.items():
            us[name].append(dlg.window())
    return {"us": us, "ratio": spread([own / adam for own, adam in zip(us["own"], us["adam"])])}


def measure_start(rounds):
    """Seconds from the start of main to the end of step 1, nothing compiled before and with the object at hand; the largest of
    what was in memory; and the seconds of a peer, imports included."""
    programs = {"digits": ("mlp.dlg", copy_example("digits", ["mlp.dlg", "digits.csv"]), ())}
    for w in (WORKLOADS["W2a"], *LAYERS.values()):
        folder, program, more = prepare(w)
        programs[w.name] = (program, folder, more)
    (OUT / "gpt").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "bench" / "workloads" / "gpt.dlg", OUT / "gpt")
    programs["gpt"] = ("gpt.dlg", OUT / "gpt", ())
    told = {}
    for name, (program, folder, more) in programs.items():
        cache = OUT / "objects"
        starts = {"cold": [], "cached": []}
        for _ in range(rounds):
            shutil.rmtree(cache, ignore_errors=True)
            for kind in starts:
                starts[kind].append(first_step(program, folder, cache, more))
        told[name] = {kind: {"text": min(t, key=lambda x: x[1])[0], "seconds": [s for _, s in t]} for kind, t in starts.items()}
        told[name]["jax"] = [first_of_peer(name) for _ in range(rounds)] if name in ALL else []
    return told | {"version": [seconds_of([RELEASE / "dlg", "--version"]) for _ in range(5 * rounds)]}


def first_of_peer(name):
    peer = Peer("jax", name, 1, 0.1)
    peer.close()
    return peer.told["first"]


def seconds_of(command):
    begin = time.perf_counter()
    output_of(command)
    return time.perf_counter() - begin


def measure_memory(rounds):
    """A training of one step of large states as a process: its seconds and its peak, and those of a peer."""
    for w in LARGE.values():
        folder, program, _ = prepare(w)
        runs = [whole_run(program, folder) for _ in range(rounds)]
        peer = Peer("jax", w.name, 1, 0.1)
        peer.close()
        states = 3 * sum(value.nbytes for value in parameters(w).values())
        entry = {"workload": w.name, "states": states, "seconds": [s for s, _ in runs], "peak": max(p for _, p in runs), "jax": peer.told}
        print(memory_row(entry), file=sys.stderr, flush=True)
        yield entry


def memory_row(e):
    wanted = WANTED_COPIES * e["states"] + WANTED_REST
    megabytes = " | ".join(f"{size / 1e6:.0f}" for size in (e["states"], e["peak"], wanted, e["jax"]["peak"]))
    seconds = f"{statistics.median(e['seconds']):.2f} ({min(e['seconds']):.2f}..{max(e['seconds']):.2f})"
    return f"| {e['workload']} | {megabytes} | {seconds} | {WANTED_SECONDS.get(e['workload'], '-')} | {e['jax']['first']:.2f} |"


def memory_section(entries):
    yield "## Memory"
    yield ""
    yield ("A training of one step as a process, initial values and saving included, one thread: the most that was resident at once, in MB, and "
           "seconds. JAX: to the end of its first step, which saves nothing.")
    yield ""
    yield "| | states | peak | wanted | JAX | seconds | wanted | JAX |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from map(memory_row, entries)


def read(part):
    path = OUT / f"{part}.json"
    return json.loads(path.read_text()) if path.exists() else None


def versions():
    told = output_of([sys.executable, "-c", "import numpy, torch, jax; print(f'numpy {numpy.__version__}, PyTorch {torch.__version__}, JAX {jax.__version__}')"])
    return told.strip()


def cpu_name():
    told = {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)}
    return f"{told.get('model name', 'unknown')} (family {told.get('cpu family')}, model {told.get('model')})"


def figure(us):
    return f"{statistics.median(us):.3g}"


def possible(entry, top):
    """The best peer's time over the limit of the step on one core: nobody can be more times as fast."""
    w = ALL[entry["workload"]]
    if entry["threads"] > 1 or not w.sizes or w.batch < 32 or top is None:
        return "-"
    return f"{statistics.median(entry['us'][entry['best']]) / limit_us(w, top):.2f}"


def rates():
    """Of the machine; none if they were not measured."""
    limits = read("limits")
    return limits[-1]["ceilings"] if limits else None


def table_of_peers(entries):
    top = rates()
    yield "| | dlg | PyTorch | compiled | JAX | scan | long | ratio | of | wanted | possible | error |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for e in entries:
        cells = [figure(e["us"][who]) if e["us"].get(who) else "-" for who in ("dlg", *PEERS)]
        r = e["ratio"]
        wanted = WANTED[e["workload"]] if e["threads"] == 1 else 1
        yield (f"| {e['workload']} | {' | '.join(cells)} | **{r['median']:.2f}** ({r['min']:.2f}..{r['max']:.2f}) | {e['best']} | {wanted} "
               f"| {possible(e, top)} | {e['errors']['dlg']:.0e} |")


def tables_by_threads(entries):
    for count in sorted({e["threads"] for e in entries}):
        yield from ["", f"{count} thread{'s' if count > 1 else ''}:", ""]
        yield from table_of_peers([e for e in entries if e["threads"] == count])


def peers_section(entries):
    yield "## Against PyTorch and JAX"
    yield ""
    yield ("Microseconds of one step, median of the rounds. `ratio`: the best peer's time over dlg's, its smallest and largest. `error`: dlg's "
           f"loss after {CHECK_STEPS} steps against f64; a peer counts only when its own is within {LOSS_TOLERANCE:g}, or if nobody's is. "
           f"`scan`: {CHECK_STEPS} steps in one call of JAX, `long`: {100 * CHECK_STEPS}, for steps that are shorter than a call. "
           "`possible`: the ratio of a step at its limit (above), which no program can beat.")
    yield from tables_by_threads(entries)


def images_section(entries):
    yield "## Images"
    yield ""
    yield ("`W5`: LeNet-5 for 28 x 28 with adam at batch 64, and at 1, 8 and 256; `W6`: ResNet-20 for 32 x 32 with momentum at batch 64; their losses are "
           f"compared after {NETS['lenet'].check_steps} and {NETS['resnet20'].check_steps} steps. PyTorch and JAX have the channels last. Columns as above.")
    yield from tables_by_threads(entries)


def cliffs_section(entries):
    yield "## Shapes that are hard"
    yield ""
    yield "Rows of a power of two in memory, few columns, rows that leave the caches; one thread, columns as above (`256^3x4096`: three layers of 256 at batch 4096)."
    yield ""
    yield from table_of_peers(entries)


def small_section(told):
    r = told["ratio"]
    yield "## 2-2-2 against C"
    yield ""
    yield f"`examples/backprop/net.dlg` through `dlg train`, 4,000,000 less 1,000,000 steps, against `bench/two_neurons.c` ({told['compiler']} -O3 -march=native, libm's exp):"
    yield ""
    yield f"dlg {figure(told['ns']['dlg'])} ns a step, C {figure(told['ns']['C'])} ns; C's time over dlg's **{r['median']:.2f}** ({r['min']:.2f}..{r['max']:.2f})."


def gemm_section(told):
    yield from ["## Contractions against the multiply-add rate", "", "```text", told["text"].rstrip(), "```"]


def limits_section(told):
    yield "## Steps against their limits"
    yield ""
    yield "The limit of a step is the sum over its contractions of the larger of multiply-adds at the measured rate and traffic of weights and states at the measured bandwidth."
    yield ""
    yield "| | us | part of the limit |"
    yield "|---|---|---|"
    for e in told:
        yield f"| {e['workload']} | {figure(e['us'])} | {100 * e['part']['median']:.0f} % ({100 * e['part']['min']:.0f}..{100 * e['part']['max']:.0f}) |"
    top = told[-1]["ceilings"]
    yield ""
    yield f"Multiply-adds {top['fma_gflops']:.0f} Gflop/s, updates {top['near_gbs']:.0f} GB/s in the caches and {top['far_gbs']:.0f} GB/s beyond them."


def rules_section(told):
    r = told["ratio"]
    yield "## A rule of one's own"
    yield ""
    yield "784-256-10 at batch 128: a rule with two states that stands in the program, against std's adam:"
    yield ""
    yield f"adam {figure(told['us']['adam'])} us a step, the rule {figure(told['us']['own'])} us; its time over adam's **{r['median']:.3f}** ({r['min']:.3f}..{r['max']:.3f})."


def start_section(told):
    yield "## Start"
    yield ""
    yield (f"From the start of main to the end of step 1, the least of the rounds; JAX with its imports and data. `dlg --version` takes "
           f"{1e3 * min(told['version']):.1f} ms.")
    yield ""
    yield "| | cold, ms | wanted | cached, ms | wanted | JAX, ms | JAX over cold |"
    yield "|---|---|---|---|---|---|---|"
    for name, entry in told.items():
        if name == "version":
            continue
        cold, cached = (1e3 * min(entry[kind]["seconds"]) for kind in ("cold", "cached"))
        wanted = WANTED_START.get(name, ("-", "-"))
        peer = 1e3 * min(entry["jax"]) if entry["jax"] else None
        compared = f"{peer:.0f} | **{peer / cold:.1f}**" if peer else "- | -"
        yield f"| {name} | {cold:.0f} | {wanted[0]} | {cached:.0f} | {wanted[1]} | {compared} |"
    for text, kind in (("The stages of the digits model, nothing cached:", "cold"), ("The same with the compiled object found in the cache:", "cached")):
        yield from ["", text, "", "```text", told["digits"][kind]["text"].rstrip(), "```"]


def page():
    lines = ["# Performance", "", f"Written by `scripts/bench` on {date.today()}. {cpu_name()}, {os.cpu_count()} CPUs; {versions()}.", "",
             "Workloads: `bench/workloads.py`; everybody starts from the same weights and sees the same batches. What is compared runs in turns.", ""]
    for name, part in PARTS.items():
        if told := read(name):
            lines += [*part.section(told), ""]
    notes = ROOT / "bench" / "notes.md"
    if notes.exists():
        lines += [notes.read_text().rstrip(), ""]
    (ROOT / "docs" / "performance.md").write_text("\n".join(lines))


@dataclass(frozen=True)
class Part:
    """`measure` gives what build/bench/NAME.json keeps, `section` the lines of the page from it."""

    measure: object  # of the arguments of the command line, the rounds and the seconds of a window
    section: object


PARTS = {
    "small": Part(lambda args, rounds, seconds: measure_small(rounds), small_section),
    "gemm": Part(lambda args, rounds, seconds: {"text": output_of(["taskset", "-c", cpus(1), RELEASE / "bench_gemm"])}, gemm_section),
    "limits": Part(lambda args, rounds, seconds: list(measure_limits(rounds, seconds)), limits_section),
    "rules": Part(lambda args, rounds, seconds: measure_rules(rounds, seconds), rules_section),
    "peers": Part(lambda args, rounds, seconds: measure_peers("peers", args, rounds, seconds), peers_section),
    "images": Part(lambda args, rounds, seconds: measure_peers("images", args, rounds, seconds), images_section),
    "cliffs": Part(lambda args, rounds, seconds: measure_peers("cliffs", args, rounds, seconds), cliffs_section),
    "growth": Part(lambda args, rounds, seconds: growth.measure(rounds, seconds), growth.section),
    "teams": Part(lambda args, rounds, seconds: teams.measure(rounds, args.quick), teams.section),
    "start": Part(lambda args, rounds, seconds: measure_start(rounds), start_section),
    "memory": Part(lambda args, rounds, seconds: list(measure_memory(rounds)), memory_section),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--workloads", help="of peers, images and cliffs, by their names; else all")
    parser.add_argument("--threads", default="1,2", help="of peers and images")
    parser.add_argument("--quick", action="store_true", help="short windows, few rounds: for a look, not for the page")
    args = parser.parse_args()
    rounds, seconds = (5, 0.1) if args.quick else (7, 0.3)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in args.parts.split(","):
        (OUT / f"{name}.json").write_text(json.dumps(PARTS[name].measure(args, rounds, seconds), indent=1))
        page()


if __name__ == "__main__":
    main()
