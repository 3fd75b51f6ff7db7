#!/usr/bin/env python3
"""Checks that every header compiles on its own. Usage: check_headers.py FOLDER_OF_COMPILE_COMMANDS

A header that its source file includes before anything else has been compiled on its own by the build.
"""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from source_files import ROOT, headers


def flags_by_folder(build):
    """The compiler and its flags for the files of each folder, from a build that knows them."""
    flags = {}
    for entry in json.loads((Path(build) / "compile_commands.json").read_text()):
        file = Path(entry["file"])
        if not file.is_relative_to(ROOT):
            continue
        words = shlex.split(entry["command"])
        compiler = next(i for i, word in enumerate(words) if re.search(r"(g\+\+|clang\+\+|c\+\+)[-\d.]*$", word))
        keep = [w for w in words[compiler:] if not w.endswith((".o", ".cpp")) and w not in ("-o", "-c")]
        folder = file.relative_to(ROOT).parts[0]
        flags.setdefault(folder, keep)
    return flags


def is_proven_by_build(header):
    source = (ROOT / header).with_suffix(".cpp")
    if not source.exists():
        return False
    first = re.search(r'^#include ["<]([^">]+)[">]', source.read_text(), re.MULTILINE)
    return first is not None and first[1] == header


def errors_of(header, flags):
    folder = Path(header).parts[0]
    words = flags.get(folder) or next(iter(flags.values()))
    command = [*words, "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(command, input=f'#include "{header}"\n', text=True, capture_output=True, cwd=ROOT)
    return f"{header} does not compile on its own:\n{done.stderr}" if done.returncode else None


def main():
    flags = flags_by_folder(sys.argv[1])
    files = [header for header in headers() if not is_proven_by_build(header)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = [e for e in pool.map(lambda header: errors_of(header, flags), files) if e]
    print("\n".join(errors) if errors else f"{len(files)} headers without a source file compile on their own")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
