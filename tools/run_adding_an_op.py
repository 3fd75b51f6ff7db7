#!/usr/bin/env python3
"""Carries out docs/adding_an_op.md on a copy of the sources, and proves what it adds.

    run_adding_an_op.py BUILD_FOLDER [cmake options]

A comment before a block of the page says what to do with it: `<!-- new FILE -->` is a whole file, `<!-- append FILE -->`
goes to FILE's end, `<!-- insert FILE -->` before the end of FILE's namespace, and ``<!-- insert FILE before `TEXT` -->``
before the only line with that text. The table on top of the page is compared with these marks: how many files each
section changes, and how many are new. The copy stays in BUILD_FOLDER, so that a second run builds little.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from source_files import ROOT, below

PAGE = "docs/adding_an_op.md"
SECTION = re.compile(r"^## (.*)\n", re.MULTILINE)
ROW = re.compile(r"^\| \[(.*?)\]\(.*?\) \| (\d+) \| (\d+) \|", re.MULTILINE)
STEP = re.compile(r"<!-- (new|insert|append) (\S+?)(?: before `(.*?)`)? -->\n```\w*\n(.*?)```", re.DOTALL)
NAMESPACE_END = "}  // namespace dlg\n"
PARTS = ["support", "ir", "frontend", "passes", "codegen", "runtime", "driver", "bench", "tools", "tests", "std", "docs",
         "examples"]
# Tables that are included everywhere, and the headers that make nothing but declarations or enumerators of them.
DECLARED = {"ir/ops/ops.def": "ir/ops/registry.h", "support/diagnostic_codes.def": "support/diagnostic.h",
            "driver/verbs/verbs.def": "driver/verbs/verbs.h", "ir/loop/scalar_ops.def": "ir/loop/loop_ir.h"}
PROGRAMS = ["test_ops", "test_golden", "test_driver", "dlg", "dlg-opt"]
RULE_TESTS = "every rule of std has a reference,every rule of std follows its formula"


def sections(page):
    """The steps of each section, by its title in lower case."""
    parts = SECTION.split(page)
    return {title.lower(): STEP.findall(text) for title, text in zip(parts[1::2], parts[2::2])}


def count_errors(page):
    counted = {title: (int(changed), int(new)) for title, changed, new in ROW.findall(page)}
    for title, steps in sections(page).items():
        if not steps:
            continue
        new = {file for how, file, _, _ in steps if how == "new"}
        found = (len({file for _, file, _, _ in steps} - new), len(new))
        if counted.get(title) != found:
            yield f"{title}: the table says {counted.get(title)}, the section changes {found[0]} files and adds {found[1]}"


def applied(step, text):
    how, file, anchor, block = step
    if how == "append":
        return text + block
    if anchor:
        assert text.count(anchor) == 1, f"{file} has {text.count(anchor)} places with {anchor}"
        begin = text.rfind("\n", 0, text.index(anchor)) + 1
        is_row = file.endswith(".def") or text[begin].isspace() or block.startswith("#include")
        return text[:begin] + block + ("" if is_row else "\n") + text[begin:]
    assert text.endswith(NAMESPACE_END), f"{file} does not end with its namespace"
    return text.removesuffix(NAMESPACE_END) + block + "\n" + NAMESPACE_END


def source_texts():
    suffixes = (".h", ".cpp", ".def", ".dlg", ".txt", ".cmake", ".md", ".csv", ".html")
    files = below(PARTS, suffixes) + ["CMakeLists.txt", "CMakePresets.json"]
    return {file: (ROOT / file).read_text() for file in files}


def with_page(texts, steps):
    texts = dict(texts)
    for step in steps:
        how, file, _, block = step
        assert (file in texts) == (how != "new"), f"{file} is {'there already' if how == 'new' else 'not there'}"
        texts[file] = block if how == "new" else applied(step, texts[file])
    return texts


def made_of(table, texts, declaring):
    """The .cpp files that make something of a table, themselves or by a header that does more than declare."""
    for file in (file for file, text in texts.items() if f'"{table}"' in text):
        if file.endswith(".cpp"):
            yield file
        elif file != declaring:
            yield from made_of(file, texts, declaring)


def write(tree, texts):
    """Brings the copy to these texts. A file that stays the same keeps its time, so that it is not built again."""
    changed = []
    for file, text in texts.items():
        path = tree / file
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        changed.append(file)
    for path in list(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_file() and name not in texts and not name.startswith("build/"):
            path.unlink()
    for table, declaring in DECLARED.items():
        # Half of all files see a declaration more and stay what they are: only where the table itself is made it is built
        # again.
        time = (ROOT / table).stat().st_mtime
        os.utime(tree / table, (time, time))
        if table in changed:
            for file in made_of(table, texts, declaring):
                (tree / file).touch()


def words_missing(text, words, where):
    return [f"`{word}` is missing in {where}" for word in words if not re.search(rf"\b{word}\b", text)]


def help_errors(run, build, blocks):
    def of_help(program, *arguments):
        return run(build / program, *arguments, "--help", capture_output=True, text=True).stdout

    yield from words_missing(of_help("dlg"), re.findall(r"^DLG_VERB\((\w+),", blocks, re.MULTILINE), "dlg --help")
    yield from words_missing(of_help("dlg-opt"), re.findall(r'\{\.name = "(\w+)",', blocks), "dlg-opt --help")
    yield from words_missing(of_help("dlg", "show"), re.findall(r'\.makes = "(\w+)",', blocks), "dlg show --help")


def prove(tree, run, build, blocks):
    """Runs the tests that the additions are in, and answers what is missing in texts."""
    run(build / "tests/test_ops", environment={"DLG_BLESS": "1"})  # writes docs/ops.md of the copy with the new ops
    run(build / "tests/test_golden")  # the copy has the golden files of the page alone
    run(build / "tests/test_driver", RULE_TESTS)
    ops = re.findall(r"^DLG_OP\((\w+?)_?,", blocks, re.MULTILINE)
    reference = (tree / "docs/ops.md").read_text()
    yield from (f"{name} is missing in docs/ops.md" for name in ops if f"\n## {name}: " not in reference)
    yield from help_errors(run, build, blocks)


def main():
    page = (ROOT / PAGE).read_text()
    steps = [step for found in sections(page).values() for step in found]
    assert steps, "the page has no steps"
    errors = list(count_errors(page))
    if errors:
        print("\n".join(errors))
        return 1
    tree = Path(sys.argv[1]).resolve() / "adding_an_op"
    build = tree / "build/release"
    # Objects that the page does not touch come out of the compiler cache that scripts/test filled.
    ours = os.environ | {"CCACHE_BASEDIR": str(tree), "CCACHE_NOHASHDIR": "1", "DLG_CACHE_DIR": ""}

    def run(*command, environment={}, **options):
        return subprocess.run(command, cwd=tree, check=True, env=ours | environment, **options)

    texts = source_texts()
    write(tree, texts)
    if not (build / "build.ninja").exists():
        run("cmake", "--preset", "release", *sys.argv[2:])
    run("cmake", "--build", build, "--target", *PROGRAMS, "--", "-k", "0")
    write(tree, with_page(texts, steps))
    run("cmake", "--build", build, "--target", *PROGRAMS, "--", "-k", "0")
    errors = list(prove(tree, run, build, "".join(block for *_, block in steps)))
    print("\n".join(errors) if errors else f"carried out {len(steps)} steps")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
