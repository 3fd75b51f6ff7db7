#!/usr/bin/env python3
"""Checks that the documents are complete: ops, functions, optimizers and stages named, links lead somewhere."""

import re
import sys

from source_files import ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def op_errors():
    text = (ROOT / "docs/ops.md").read_text()
    for name in re.findall(r"^DLG_OP\((\w+?)_?,", (ROOT / "ir/ops/ops.def").read_text(), re.MULTILINE):
        if not re.search(rf"^#+ .*`?\b{name}\b|^\| *`{name}`", text, re.MULTILINE):
            yield f"docs/ops.md does not document the op `{name}`"


def std_errors():
    text = (ROOT / "docs/language.md").read_text()
    for path in sorted((ROOT / "std").glob("*.dlg")):
        for word, name in re.findall(r"^(fn|loss|model|optimizer) (\w+)", path.read_text(), re.MULTILINE):
            if not re.search(rf"`{name}\b", text):
                yield f"docs/language.md does not name `{name}` of std/{path.name}"


def builtin_errors():
    """Every function of the language has a row with the form and the words that messages show."""
    text = (ROOT / "docs/language.md").read_text()
    source = (ROOT / "frontend/elaborate/builtins.cpp").read_text()
    rows = re.findall(r'^    \{"\w+", "([^"]+)",\s*"([^"]+)"', source, re.MULTILINE)
    if len(rows) < 40:
        yield "the table of functions in frontend/elaborate/builtins.cpp is not understood"
    for form, meaning in rows:
        if f"| `{form}` | {meaning} |" not in text:
            yield f"docs/language.md has no row for `{form}`: {meaning}"


def link_errors():
    for document in documents():
        for target in LINK.findall(document.read_text()):
            if not (document.parent / target).exists():
                yield f"{document.relative_to(ROOT)}: the link to {target} leads nowhere"


def main():
    errors = [*op_errors(), *std_errors(), *builtin_errors(), *link_errors()]
    print("\n".join(errors) if errors else "the documents are complete")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
