"""Owns the measurements of docs/performance.md: dlg against the limits of the machine and against its peers.

    run.py [--parts small,gemm,limits,rules,peers,start] [--workloads W0,W2a] [--threads 1,2] [--quick]

Each part keeps its figures in build/bench/PART.json; the page is written anew from all that are there. What is compared
runs in turns, one window each, so that a change of the machine's clock hits everybody; a ratio is the median of
the ratios of the turns, its spread their smallest and largest.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from datetime import date
from pathlib import Path

from turns import OUT, ROOT, RELEASE, Dlg, copy_example, cpus, first_step, output_of, prepare, spread
from workloads import CHECK_STEPS, WORKLOADS, loss_in_f64, mean_loss

# The last is for steps that are shorter than a call.
PEERS = ("torch", "torch.compile", "jax", "jax.scan", "jax.long")
LONG_FLOPS = 1e4
# Times faster than the best peer that we want to be, one thread.
WANTED = {"W0": 3, "W1a": 3, "W1b": 3, "W2a": 2, "W2b": 1.5, "W2c": 1.5, "W2s": 1.4, "W3": 2, "W4a": 1.8, "W4s": 1.4}
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


def measure_peers(names, threads, rounds, seconds):
    """One entry per workload and thread count: microseconds of everybody in each round."""
    for name in names:
        w = WORKLOADS[name]
        folder, program, more = prepare(w)
        exact = loss_in_f64(w)
        for count in threads:
            dlg = Dlg(folder, program, count, seconds, more)
            losses = {}
            dlg.train(CHECK_STEPS, look=lambda run: losses.update(dlg=mean_loss(w, weights_of(run))))
            peers = {}
            for peer in PEERS:
                if peer == "jax.long" and w.flops > LONG_FLOPS:
                    continue
                started = Peer(peer, name, count, seconds)
                if started.told is None:
                    print(f"{name}: {peer} failed, see its log", file=sys.stderr)
                    continue
                peers[peer] = started
                losses[peer] = started.told["loss"]
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
            entry = {"workload": name, "threads": count, "us": us, "errors": errors, "best": best, "ratio": ratio}
            print(f"{name} x{count}: dlg {statistics.median(us['dlg']):.3g} us, {best} "
                  f"{statistics.median(us[best]):.3g} us, ratio {ratio['median']:.2f}, loss error {errors['dlg']:.0e}",
                  file=sys.stderr, flush=True)
            yield entry


def keep_each(entries):
    """Writes each entry as soon as it is there, in the place of an older one."""
    for entry in entries:
        kept = [e for e in read("peers") or [] if (e["workload"], e["threads"]) != (entry["workload"], entry["threads"])]
        kept = sorted([*kept, entry], key=lambda e: list(WORKLOADS).index(e["workload"]))
        (OUT / "peers.json").write_text(json.dumps(kept, indent=1))


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
    """Seconds from the start of main to the end of step 1, by stage; and those of a peer for W2a."""
    folder = copy_example("digits", ["mlp.dlg", "digits.csv"])

    def one(program, where, more=()):
        cache = OUT / "objects"
        tables = {"cold": [], "cached": []}
        for _ in range(rounds):
            shutil.rmtree(cache, ignore_errors=True)
            for kind in tables:
                tables[kind].append(first_step(program, where, cache, more))
        return {kind: {"text": sorted(t, key=lambda x: x[1])[len(t) // 2][0], "seconds": [s for _, s in t]} for kind, t in tables.items()}

    w = WORKLOADS["W2a"]
    where, program, more = prepare(w)
    firsts = []
    for _ in range(rounds):
        peer = Peer("jax", "W2a", 1, 0.1)
        peer.close()
        firsts.append(peer.told["first"])
    return {"digits": one("mlp.dlg", folder), "W2a": one(program, where, more), "jax": statistics.median(firsts)}


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
    w = WORKLOADS[entry["workload"]]
    if entry["threads"] > 1 or not w.sizes or w.batch < 32 or top is None:
        return "-"
    return f"{statistics.median(entry['us'][entry['best']]) / limit_us(w, top):.2f}"


def peers_section(entries, top):
    """`top`: the rates of the machine, None if they were not measured."""
    yield "## Against PyTorch and JAX"
    yield ""
    yield ("Microseconds of one step, median of the rounds. `ratio`: the best peer's time over dlg's, its smallest and largest. `error`: dlg's "
           f"loss after {CHECK_STEPS} steps against f64; a peer counts only when its own is within {LOSS_TOLERANCE:g}, or if nobody's is. "
           f"`scan`: {CHECK_STEPS} steps in one call of JAX, `long`: {100 * CHECK_STEPS}, for steps that are shorter than a call. "
           "`possible`: the ratio of a step at its limit (above), which no program can beat.")
    for count in sorted({e["threads"] for e in entries}):
        yield ""
        yield f"{count} thread{'s' if count > 1 else ''}:"
        yield ""
        yield "| | dlg | PyTorch | compiled | JAX | scan | long | ratio | of | wanted | possible | error |"
        yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
        for e in entries:
            if e["threads"] != count:
                continue
            cells = [figure(e["us"][who]) if e["us"].get(who) else "-" for who in ("dlg", *PEERS)]
            r = e["ratio"]
            wanted = WANTED[e["workload"]] if count == 1 else 1
            yield (f"| {e['workload']} | {' | '.join(cells)} | **{r['median']:.2f}** ({r['min']:.2f}..{r['max']:.2f}) | {e['best']} | {wanted} "
                   f"| {possible(e, top)} | {e['errors']['dlg']:.0e} |")


def page():
    lines = ["# Performance", "", f"Written by `scripts/bench` on {date.today()}. {cpu_name()}, {os.cpu_count()} CPUs; {versions()}.", "",
             "Workloads: `bench/workloads/`; everybody starts from the same weights and sees the same batches. What is compared runs in turns.", ""]
    if small := read("small"):
        r = small["ratio"]
        lines += ["## 2-2-2 against C", "",
                  f"`examples/backprop/net.dlg` through `dlg train`, 4,000,000 less 1,000,000 steps, against `bench/two_neurons.c` ({small['compiler']} -O3 -march=native, libm's exp):", "",
                  f"dlg {figure(small['ns']['dlg'])} ns a step, C {figure(small['ns']['C'])} ns; C's time over dlg's **{r['median']:.2f}** ({r['min']:.2f}..{r['max']:.2f}).", ""]
    if gemm := read("gemm"):
        lines += ["## Contractions against the multiply-add rate", "", "```text", gemm["text"].rstrip(), "```", ""]
    if limits := read("limits"):
        lines += ["## Steps against their limits", "",
                  "The limit of a step is the sum over its contractions of the larger of multiply-adds at the measured rate and traffic of weights and states at the measured bandwidth.", "",
                  "| | us | part of the limit |", "|---|---|---|"]
        lines += [f"| {e['workload']} | {figure(e['us'])} | {100 * e['part']['median']:.0f} % ({100 * e['part']['min']:.0f}..{100 * e['part']['max']:.0f}) |" for e in limits]
        top = limits[-1]["ceilings"]
        lines += ["", f"Multiply-adds {top['fma_gflops']:.0f} Gflop/s, updates {top['near_gbs']:.0f} GB/s in the caches and {top['far_gbs']:.0f} GB/s beyond them.", ""]
    if rules := read("rules"):
        r = rules["ratio"]
        lines += ["## A rule of one's own", "", "784-256-10 at batch 128: a rule with two states that stands in the program, against std's adam:", "",
                  f"adam {figure(rules['us']['adam'])} us a step, the rule {figure(rules['us']['own'])} us; its time over adam's **{r['median']:.3f}** ({r['min']:.3f}..{r['max']:.3f}).", ""]
    if peers := read("peers"):
        lines += [*peers_section(peers, limits[-1]["ceilings"] if limits else None), ""]
    if start := read("start"):
        cold, cached = (statistics.median(start["W2a"][kind]["seconds"]) for kind in ("cold", "cached"))
        lines += ["## Start", "", "From the start of main to the end of step 1 of the digits model, nothing cached:", "", "```text", start["digits"]["cold"]["text"].rstrip(), "```", "",
                  "The same with the compiled object found in the cache:", "", "```text", start["digits"]["cached"]["text"].rstrip(), "```", "",
                  f"To the end of step 1 of W2a, imports and data included: dlg {cold:.2f} s, cached {cached:.2f} s; JAX {start['jax']:.2f} s. JAX's time over dlg's: **{start['jax'] / cold:.1f}**, cached {start['jax'] / cached:.1f}.", ""]
    notes = ROOT / "bench" / "notes.md"
    if notes.exists():
        lines += [notes.read_text().rstrip(), ""]
    (ROOT / "docs" / "performance.md").write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="small,gemm,limits,rules,peers,start")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--quick", action="store_true", help="short windows, few rounds: for a look, not for the page")
    args = parser.parse_args()
    rounds, seconds = (5, 0.1) if args.quick else (7, 0.3)
    OUT.mkdir(parents=True, exist_ok=True)
    measurements = {
        "small": lambda: measure_small(rounds),
        "gemm": lambda: {"text": output_of(["taskset", "-c", cpus(1), RELEASE / "bench_gemm"])},
        "limits": lambda: list(measure_limits(rounds, seconds)),
        "rules": lambda: measure_rules(rounds, seconds),
        "peers": lambda: measure_peers(args.workloads.split(","), [int(t) for t in args.threads.split(",")], rounds, seconds),
        "start": lambda: measure_start(rounds),
    }
    for part in args.parts.split(","):
        if part == "peers":
            keep_each(measurements[part]())
        else:
            (OUT / f"{part}.json").write_text(json.dumps(measurements[part](), indent=1))
        page()


if __name__ == "__main__":
    main()
