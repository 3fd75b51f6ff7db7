#!/usr/bin/env python3
"""Runs the fuzz targets for some time, from seeds of the source tree.

    run_fuzz.py FUZZ_BUILD_FOLDER BUILD_FOLDER [SECONDS [TARGET...]]

Inputs that were found interesting stay in FUZZ_BUILD_FOLDER/corpus for the next time. A finding is printed with the
file that holds it. Each line says how many edges of the program the seeds reach, and how many were reached in the end.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz_seeds import SEEDS, dictionary, seeds

SECONDS = 600
# The entropic schedule spends more time on its statistics than these targets on their inputs.
LIMITS = ["-timeout=5", "-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-print_final_stats=1", "-entropic=0"]
COVERED = re.compile(r"^#\d+\s+(\w+).* cov: (\d+)", re.MULTILINE)
EXECUTED = re.compile(r"number_of_executed_units: (\d+)")


def fuzz(build, name, dlg, seconds):
    """One target; answers its name, whether it found something, and what it said."""
    corpus, start, words = build / "corpus" / name, build / "seeds" / name, build / "seeds" / f"{name}.dict"
    for folder in (corpus, start):
        folder.mkdir(parents=True, exist_ok=True)
    files = seeds(name, dlg)
    for number, seed in enumerate(files):
        (start / f"{number:03}").write_bytes(seed)
    words.write_text(dictionary(files))
    done = subprocess.run(
        [build / f"fuzz_{name}", f"-max_total_time={seconds}", f"-artifact_prefix={build}/finding_{name}_",
         f"-dict={words}", *LIMITS, corpus, start],
        capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    return name, done.returncode != 0, done.stderr


def summary(text):
    """`12345 runs, 4000 edges from seeds, 5000 in the end`."""
    covered = COVERED.findall(text)
    begin = next((edges for event, edges in covered if event == "INITED"), "?")
    end = covered[-1][1] if covered else "?"
    runs = EXECUTED.search(text)
    return f"{runs[1] if runs else '?'} runs, {begin} edges from seeds, {end} in the end"


def main():
    build, dlg = Path(sys.argv[1]).resolve(), str(Path(sys.argv[2]).resolve() / "dlg")
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else SECONDS
    names = sys.argv[4:] or list(SEEDS)
    has_findings = False
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for name, has_finding, text in pool.map(lambda name: fuzz(build, name, dlg, seconds), names):
            print(f"{name}: {'FINDING' if has_finding else 'no finding'} in {seconds} s, {summary(text)}", flush=True)
            if has_finding:
                print(text[-3000:])
                has_findings = True
    return 1 if has_findings else 0


if __name__ == "__main__":
    sys.exit(main())
