#!/usr/bin/env python3
"""Carries out docs/adding_an_op.md on a copy of the sources: builds it and runs the generated tests.

    run_adding_an_op.py BUILD_FOLDER [cmake options]

A comment before a block of the page says what to do with it: `<!-- insert FILE -->` puts it before the end of
FILE's namespace, `<!-- append FILE -->` at FILE's end. The copy stays in BUILD_FOLDER, so that a second run builds little.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from source_files import ROOT, below

STEP = re.compile(r"<!-- (insert|append) (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
NAMESPACE_END = "}  // namespace dlg\n"
PARTS = ["support", "ir", "frontend", "passes", "codegen", "runtime", "driver", "bench", "tools", "tests", "std", "docs",
         "examples"]


def steps():
    return STEP.findall((ROOT / "docs/adding_an_op.md").read_text())


def applied(how, text, block):
    if how == "append":
        return text + block
    assert text.endswith(NAMESPACE_END), "an insert goes into a file that ends with its namespace"
    return text.removesuffix(NAMESPACE_END) + block + "\n" + NAMESPACE_END


def write_if_changed(path, data):
    """Keeps the time of a file that stays the same, so that it is not built again."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def copy_sources(tree):
    """Brings `tree` to the state of the sources with the page applied."""
    suffixes = (".h", ".cpp", ".def", ".dlg", ".txt", ".cmake", ".md", ".csv")
    files = below(PARTS, suffixes) + ["CMakeLists.txt", "CMakePresets.json"]
    wanted = {file: (ROOT / file).read_bytes() for file in files}
    for how, file, block in steps():
        wanted[file] = applied(how, wanted[file].decode(), block).encode()
    for file, data in wanted.items():
        write_if_changed(tree / file, data)
    for path in tree.rglob("*"):
        name = path.relative_to(tree).as_posix()
        if path.is_file() and name not in wanted and not name.startswith("build/"):
            path.unlink()


def main():
    tree = Path(sys.argv[1]).resolve() / "adding_an_op"
    assert steps(), "the page has no steps"
    copy_sources(tree)
    # Objects that the page does not touch come out of the compiler cache that scripts/test filled.
    environment = os.environ | {"CCACHE_BASEDIR": str(tree), "CCACHE_NOHASHDIR": "1"}
    build = tree / "build/release"
    run = lambda *command, **more: subprocess.run(command, cwd=tree, check=True, env=environment | more)
    if not (build / "build.ninja").exists():
        run("cmake", "--preset", "release", *sys.argv[2:])
    run("cmake", "--build", str(build), "--target", "test_ops")
    run(str(build / "tests/test_ops"), DLG_BLESS="1")  # writes docs/ops.md of the copy with the new op
    names = re.findall(r"^DLG_OP\((\w+?)_?,", "".join(block for _, _, block in steps()), re.MULTILINE)
    reference = (tree / "docs/ops.md").read_text()
    missing = [name for name in names if f"\n## {name}: " not in reference]
    print(f"missing in docs/ops.md: {missing}" if missing or not names else f"added {', '.join(names)}")
    return 1 if missing or not names else 0


if __name__ == "__main__":
    sys.exit(main())
