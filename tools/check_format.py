#!/usr/bin/env python3
"""Checks that clang-format has nothing to change; `--fix` lets it."""

import subprocess
import sys

from source_files import ROOT, cpp_files


def main():
    mode = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "--Werror"]
    return subprocess.run(["clang-format", "--style=file", *mode, *cpp_files()], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
