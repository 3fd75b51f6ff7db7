#!/usr/bin/env python3
"""Checks the table of folders in docs/architecture.md (DLG_BLESS=1 writes it anew), and that the README of a folder that others stand on
says where each of its headers is read."""

import os
import re
import sys
from collections import defaultdict

from check_layers import INCLUDE, INNER, LAYERS
from source_files import ROOT, below

PAGE = ROOT / "docs/architecture.md"
TABLE = re.compile(r"(?<=<!-- folders -->\n).*?(?=<!-- end of folders -->)", re.DOTALL)
SUFFIXES = (".h", ".cpp", ".def")


def folder_of(file):
    return file.rpartition("/")[0]


def table():
    """A row for each folder of the layers: files, lines to the nearest hundred, which folders its files include."""
    files, lines, includes = defaultdict(int), defaultdict(int), defaultdict(set)
    for file in below(LAYERS, SUFFIXES):
        folder, text = folder_of(file), (ROOT / file).read_text()
        files[folder] += 1
        lines[folder] += text.count("\n")
        quoted = (match[2] for match in map(INCLUDE.match, text.splitlines()) if match and match[1] == '"')
        includes[folder] |= {folder_of(included) for included in quoted} - {folder}
    rows = [f"| `{folder}` | {files[folder]} | {max(1, round(lines[folder] / 100))} | {', '.join(sorted(includes[folder]))} |" for folder in sorted(files)]
    return "\n".join(["| folder | files | hundred lines | includes |", "|---|---|---|---|", *rows]) + "\n"


def table_errors():
    page = PAGE.read_text()
    expected = TABLE.sub(lambda _: table(), page)
    if expected == page:
        return
    if os.environ.get("DLG_BLESS"):
        PAGE.write_text(expected)
    else:
        yield "docs/architecture.md: the table of folders is not what the folders hold; `scripts/test --bless` writes it anew"


def readme_errors():
    for parent, inner in INNER.items():
        for folder in (f"{parent}/{name}" for name in inner):
            readme = ROOT / folder / "README.md"
            text = readme.read_text() if readme.exists() else ""
            for header in sorted((ROOT / folder).glob("*.h")):
                if f"`{header.name}`" not in text:
                    yield f"{folder}/README.md does not say what `{header.name}` is for"


def main():
    errors = [*table_errors(), *readme_errors()]
    print("\n".join(errors) if errors else f"{len(below(LAYERS, SUFFIXES))} files are where the documents say")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
