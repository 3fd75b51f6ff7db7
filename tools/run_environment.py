#!/usr/bin/env python3
"""Runs test programs in an environment that is not the usual one.

    run_environment.py BUILD_FOLDER locale|read_only|memory PROGRAM...

locale     the C and the C++ locale have a decimal comma and group thousands
read_only  the working folder cannot be written
memory     the address space is capped at 512 MiB

A program `golden` stands for the golden runner on all its folders.
"""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from memory_folder import memory_folder
from source_files import ROOT

LOCALE = "de_DE.UTF-8"
MEMORY = 512 << 20
PR_CAPBSET_DROP = 24
LAST_CAPABILITY = 63


def make_locale(folder):
    """Compiles the locale into a folder, so that none has to be installed."""
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", f"{folder}/{LOCALE}"], check=True, capture_output=True)
    return {"LOCPATH": str(folder), "DLG_TEST_LOCALE": LOCALE}


def obey_permissions():
    """Root loses, with the next exec, what lets it write where it must not."""
    libc = ctypes.CDLL(None)
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def cap_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def one_by_one(folder, names_left_out, work):
    """A folder for each golden file: a process that has read megabytes keeps them, and the next one would lack them."""
    for path in sorted(folder.glob("*.golden")):
        if path.stem in names_left_out:
            continue
        own = work / path.stem
        own.mkdir()
        shutil.copy(path, own)
        yield own


def golden_folders(kind, work):
    folders = sorted(path for path in (ROOT / "tests/golden").iterdir() if path.is_dir())
    nasty = ROOT / "tests/nasty"
    if kind != "memory":
        return [*folders, nasty]
    # The syntax tree of a million terms takes 1 GB; tests/memory has what dlg says where there is less.
    return [*folders, *one_by_one(nasty, {"09_million_terms"}, work), ROOT / "tests/memory"]


def jobs(build, kind, programs, work):
    """(command, its environment) for each program."""
    for program in programs:
        if program != "golden":
            yield [build / "tests" / f"test_{program}"], {}
            continue
        for folder in golden_folders(kind, work):
            yield [build / "tests/test_golden"], {"DLG_GOLDEN_FOLDER": str(folder)}


def run(kind, command, environment, folder):
    """What went wrong, or nothing."""
    before = {"read_only": obey_permissions, "memory": cap_memory}.get(kind)
    done = subprocess.run(command, cwd=folder, env=environment, preexec_fn=before, capture_output=True, text=True,
                          errors="replace")  # fmt: skip
    if done.returncode == 0:
        return ""
    return f"{command[0].name}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


def main():
    build, kind, programs = Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:]
    # The same programs run on the disk in the usual environment.
    work = Path(tempfile.mkdtemp(prefix="dlg-environment-", dir=memory_folder()))
    folder, temporary = work / "folder", work / "temporary"
    folder.mkdir()
    temporary.mkdir()
    try:
        environment = os.environ | {"TMPDIR": str(temporary)} | (make_locale(work) if kind == "locale" else {})
        if kind == "read_only":
            folder.chmod(0o555)
        results = [run(kind, command, environment | extra, folder) for command, extra in jobs(build, kind, programs, work)]
        errors = [error for error in results if error]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("\n".join(errors) if errors else f"{kind}: {' '.join(programs)} pass")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
