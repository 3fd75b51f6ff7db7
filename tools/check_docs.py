#!/usr/bin/env python3
"""Checks that the documents are complete: ops named, links lead somewhere. docs/library.md has a test of its own."""

import re
import sys

from source_files import ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)#:\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)  # `[](double)` is no link


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def op_errors():
    text = (ROOT / "docs/ops.md").read_text()
    for name in re.findall(r"^DLG_OP\((\w+?)_?,", (ROOT / "ir/ops/ops.def").read_text(), re.MULTILINE):
        if not re.search(rf"^#+ .*`?\b{name}\b|^\| *`{name}`", text, re.MULTILINE):
            yield f"docs/ops.md does not document the op `{name}`"


def link_errors():
    for document in documents():
        for target in LINK.findall(CODE.sub("", document.read_text())):
            if not (document.parent / target).exists():
                yield f"{document.relative_to(ROOT)}: the link to {target} leads nowhere"


def main():
    errors = [*op_errors(), *link_errors()]
    print("\n".join(errors) if errors else "the documents are complete")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
