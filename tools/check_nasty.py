#!/usr/bin/env python3
"""Checks that every row of bad input has its file in tests/nasty, and that each shows what dlg says."""

import re
import sys

from source_files import ROOT

# Rows of the table of bad inputs that this version of the language can meet: text, shapes, data, weights.
ROWS = [*range(1, 26), *range(27, 34), 35, 36, *range(38, 54), 57, 58, *range(60, 69)]
NAME = re.compile(r"^(\d\d)_[a-z0-9_]+$")


def main():
    errors, seen = [], set()
    for path in sorted((ROOT / "tests/nasty").iterdir()):
        name = NAME.match(path.stem)
        text = path.read_text(errors="replace")
        if not name or path.suffix != ".golden":
            errors.append(f"{path.name}: expected NN_words.golden")
            continue
        seen.add(int(name[1]))
        if "# ---- EXIT" not in text:
            errors.append(f"{path.name}: nothing is run, or what it says is missing")
    errors += [f"row {row} has no file" for row in ROWS if row not in seen]
    print("\n".join(errors) if errors else f"{len(ROWS)} rows of bad input")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
