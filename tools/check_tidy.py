#!/usr/bin/env python3
"""Runs clang-tidy with warnings as errors. Usage: check_tidy.py BUILD_FOLDER [--all]

Without --all: on the source files that differ from origin/main, at most MAX_CHANGED of them; where nothing
differs, on a sample. A file whose text, headers and configuration have not changed since it passed is not
read again: the build folder remembers.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from source_files import ROOT, cpp_files

MAX_CHANGED = 24
SAMPLE = 8
# The build's options are g++'s. A mask of lanes has no `&&`, and that of a host lane is a bool.
OPTIONS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-bitwise-instead-of-logical"]


@functools.cache
def project_includes(file):
    """The headers of the project that a file sees, in any depth, itself included."""
    seen, todo = set(), [file]
    while todo:
        current = todo.pop()
        if current in seen or not (ROOT / current).exists():
            continue
        seen.add(current)
        todo += re.findall(r'^\s*#\s*include "([^"]+)"', (ROOT / current).read_text(), re.MULTILINE)
    return sorted(seen)


def key_of(file):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for header in project_includes(file):
        digest.update(header.encode() + b"\0" + (ROOT / header).read_bytes())
    return digest.hexdigest()


def changed_files():
    git = ["git", "-C", str(ROOT)]
    base = subprocess.run([*git, "merge-base", "HEAD", "origin/main"], capture_output=True, text=True)
    if base.returncode:
        return []
    names = subprocess.run([*git, "diff", "--name-only", base.stdout.strip()], capture_output=True, text=True)
    return names.stdout.splitlines()


def chosen_files(sources, is_all):
    if is_all:
        return sources
    changed = [file for file in changed_files() if file in sources][:MAX_CHANGED]
    return changed or sources[:: max(1, len(sources) // SAMPLE)]


def tidy(build, file):
    command = ["clang-tidy", "-p", str(build), *OPTIONS, file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, done.stdout or done.stderr


def main():
    build = Path(sys.argv[1]).resolve()
    known = {Path(entry["file"]) for entry in json.loads((build / "compile_commands.json").read_text())}
    sources = [file for file in cpp_files() if ROOT / file in known and not file.startswith("tests/")]
    files = chosen_files(sources, "--all" in sys.argv[2:])
    memory = build / "tidy"
    memory.mkdir(exist_ok=True)
    todo = [file for file in files if not (memory / key_of(file)).exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, (is_clean, text) in zip(todo, pool.map(functools.partial(tidy, build), todo)):
            if is_clean:
                (memory / key_of(file)).touch()
            else:
                failed += 1
                print(f"{file}:\n{text}")
    print(f"{len(files)} files, {len(files) - len(todo)} of them known to be clean, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
