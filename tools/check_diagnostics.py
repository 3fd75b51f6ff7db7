#!/usr/bin/env python3
"""Checks the table of diagnostics: sorted, unique, in use, explained, and shown by a golden file each."""

import re
import sys

from source_files import ROOT, cpp_files

ROW = re.compile(r'^DLG_DIAGNOSTIC\((\w+), (\d+),\s*"((?:[^"\\]|\\.)*)",\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', re.MULTILINE)
SHORTEST_EXPLANATION = 80


def rows():
    table = (ROOT / "support/diagnostic_codes.def").read_text()
    found = [(m[1], int(m[2]), m[3], "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m[4]))) for m in ROW.finditer(table)]
    assert len(found) == len(re.findall(r"^DLG_DIAGNOSTIC", table, re.MULTILINE)), "a row has an unknown form"
    return found


def table_errors(table):
    numbers = [number for _, number, _, _ in table]
    if numbers != sorted(set(numbers)):
        wrong = [b for a, b in zip(numbers, numbers[1:]) if b <= a]
        yield f"numbers must ascend without repetition; see {wrong}"
    names = [name for name, _, _, _ in table]
    yield from (f"{name} stands twice" for name in sorted({n for n in names if names.count(n) > 1}))


def use_errors(table):
    sources = "\n".join((ROOT / file).read_text() for file in cpp_files() if not file.startswith("tests/"))
    shown = [path for folder in ("golden", "nasty") for path in (ROOT / "tests" / folder).rglob("*.golden")]
    golden = "\n".join(path.read_text(errors="replace") for path in sorted(shown))
    for name, number, title, explanation in table:
        code = f"DLG{number:04}"
        if not re.search(rf"DiagCode::k?{name}\b", sources):
            yield f"{code} {name} is reported nowhere"
        elif f"[{code}]" not in golden:
            yield f"{code} {name} ({title}) is shown by no golden file"
        if len(explanation) < SHORTEST_EXPLANATION:
            yield f"{code} {name}: the explanation says too little"


def main():
    table = rows()
    errors = [*table_errors(table), *use_errors(table)]
    print("\n".join(errors) if errors else f"{len(table)} diagnostics, each shown by a golden file")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
