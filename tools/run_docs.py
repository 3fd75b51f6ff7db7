#!/usr/bin/env python3
"""Runs the commands of a document and compares what they print with what the document shows.

    run_docs.py BUILD_FOLDER DOCUMENT [--bless]

Blocks marked `console` hold lines `$ command`, each followed by its output; `[exit N]` ends the output of a
command that fails, and a line `...` stands for any lines. Blocks marked `dlg NAME` are written to the file NAME.
All blocks of a document run in one folder that holds a copy of examples/ and of the folder pictures/ beside the
document, or nothing of examples/ where the document holds the line `<!-- runs in an empty folder -->`. What differs between machines and runs (times, rates, versions) is
taken out before comparing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from source_files import ROOT

TIMEOUT = 120  # seconds a command may take
EMPTY = "<!-- runs in an empty folder -->"
FENCE = re.compile(r"^```(\w*)[ \t]*(.*)$")
VOLATILE = [
    (re.compile(r"\b\d+(\.\d+)?k? (samples|steps)/s"), "RATE"),
    (re.compile(r"\b\d+(\.\d+)? ?(ns|us|µs|ms|s|min)\b"), "TIME"),
    (re.compile(r"LLVM \d+(\.\d+)*"), "LLVM"),
    (re.compile(r"(AVX-512|AVX2|SSE2|avx512|avx2|sse2)\b"), "TARGET"),
    (re.compile(r"[ \t]+$"), ""),
]


def normalised(line):
    for pattern, replacement in VOLATILE:
        line = pattern.sub(replacement, line)
    return line


def matches(expected, actual):
    """Whether the lines agree, `...` standing for any number of lines."""
    if not expected:
        return not actual
    if expected[0].strip() == "...":
        return any(matches(expected[1:], actual[skip:]) for skip in range(len(actual) + 1))
    return bool(actual) and normalised(expected[0]) == normalised(actual[0]) and matches(expected[1:], actual[1:])


class Folder:
    """The folder in which the commands of a document run."""

    def __init__(self, build, document, text):
        self.path = Path(tempfile.mkdtemp(prefix="dlg-docs-"))
        if EMPTY not in text.splitlines():
            shutil.copytree(ROOT / "examples", self.path / "examples")
        if (pictures := document.parent / "pictures").exists():
            shutil.copytree(pictures, self.path / "pictures")
        self.environment = os.environ | {
            "PATH": f"{Path(build).resolve()}:{os.environ['PATH']}",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
        }
        self.where = self.path  # `cd` in one command holds for the next ones

    def run(self, command):
        """The lines that a command prints, standard output and standard error in one."""
        marked = f"{command}\ncode=$?\npwd > {self.path}.where\nexit $code"
        done = subprocess.run(
            ["bash", "-c", marked], cwd=self.where, env=self.environment, timeout=TIMEOUT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
        )  # fmt: skip
        self.where = Path(Path(f"{self.path}.where").read_text().strip())
        lines = done.stdout.replace(str(self.path), "~").splitlines()
        return lines + ([f"[exit {done.returncode}]"] if done.returncode else [])

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
        Path(f"{self.path}.where").unlink(missing_ok=True)


def split_commands(lines):
    """[(command, shown output)] of a console block."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def checked_block(lines, folder, errors):
    """Runs a console block; answers its lines with the actual outputs where they differ."""
    result = []
    for command, shown in split_commands(lines):
        actual = folder.run(command)
        result.append(f"$ {command}")
        if matches(shown, actual):
            result += shown
            continue
        result += actual
        errors.append("\n".join([f"$ {command}", "shown:", *shown, "actual:", *actual, ""]))
    return result


def checked_document(text, folder, errors):
    """Runs all blocks of a document; answers its text with the actual outputs."""
    result, lines = [], text.splitlines()
    position = 0
    while position < len(lines):
        result.append(lines[position])
        fence = FENCE.match(lines[position])
        position += 1
        if not fence:
            continue
        end = lines.index("```", position)
        block = lines[position:end]
        if fence[1] == "console":
            block = checked_block(block, folder, errors)
        elif fence[1] == "dlg" and fence[2]:
            (folder.where / fence[2]).write_text("\n".join(block) + "\n")
        result += [*block, "```"]
        position = end + 1
    return "\n".join(result) + "\n"


def main():
    build, document = sys.argv[1], ROOT / sys.argv[2]
    is_bless = "--bless" in sys.argv[3:] or "DLG_BLESS" in os.environ
    text, errors = document.read_text(), []
    folder = Folder(build, document, text)
    try:
        actual = checked_document(text, folder, errors)
    finally:
        folder.remove()
    if is_bless and errors:
        document.write_text(actual)
        print(f"{sys.argv[2]}: {len(errors)} outputs rewritten")
        return 0
    print("\n".join(errors) if errors else f"{sys.argv[2]} shows what the commands print")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
