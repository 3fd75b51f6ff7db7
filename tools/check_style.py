#!/usr/bin/env python3
"""Checks rules of the house style that need no compiler: what a file says first, words that are not used."""

import re
import sys

from cpp_functions import functions_of, tokens_of
from source_files import ROOT, cpp_files

# word pattern over tokens joined by blanks: why it is not used
UNUSED = {
    # make_unique cannot reach a private constructor; what LLVM makes with `new` belongs to its module.
    r"(?<!> \( )\bnew (?!llvm\b)[A-Za-z_:]+": "no naked `new`; use values, containers or std::make_unique",
    r"(?<!= )\bdelete\b(?! ;)": "no naked `delete`",
    r"\bshared_ptr\b": "no shared_ptr; one owner",
    r"\breinterpret_cast < [a-z]+ & >": "no reinterpret_cast of references; use std::bit_cast",
    r"\bsetFast\b|\bFastMathFlags\b": "no fast-math flags, contract included",
}
IN_HEADERS = {r"\busing namespace\b": "no `using namespace` in a header"}
BOOL_PARAMETER = re.compile(r"(const )?bool( [a-z]\w*)?( = (true|false))?")


def word_errors(file, tokens):
    rules = UNUSED | (IN_HEADERS if file.endswith(".h") else {})
    text, lines = [], []
    for token in tokens:
        text.append(token.text)
        lines.append(token.line)
    joined = " ".join(text)
    for pattern, reason in rules.items():
        for match in re.finditer(pattern, joined):
            yield f"{file}:{lines[joined.count(' ', 0, match.start())]}: {reason}"


def bool_errors(file, text):
    for function in functions_of(text):
        if function.is_override:  # the signature is somebody else's
            continue
        for parameter in function.parameters:
            # A constructor from one bool wraps it: that is what a JSON value does.
            wraps = len(function.parameters) == 1 and function.name[0].isupper()
            if BOOL_PARAMETER.fullmatch(parameter) and not wraps:
                yield f"{file}:{function.first_line}: `{function.name}` takes `{parameter}`; use an enum or two functions"


def header_speaks_for(file):
    """Whether a header beside a source file says what it owns: text.h for text.cpp and text_parse.cpp."""
    path = ROOT / file
    words = path.stem.split("_")
    stems = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    return path.suffix == ".cpp" and any(path.with_name(stem + ".h").exists() for stem in stems)


def errors_of(file):
    text = (ROOT / file).read_text()
    if not text.startswith("// ") and not header_speaks_for(file):
        yield f"{file}:1: the first lines of a file say what it owns: `// Owns ...`"
    tokens = [t for t in tokens_of(text) if not t.text.startswith(('"', "R\"", "'"))]
    yield from word_errors(file, tokens)
    yield from bool_errors(file, text)


def main():
    files = cpp_files()
    errors = [error for file in files for error in errors_of(file)]
    print("\n".join(errors) if errors else f"{len(files)} files keep to the rules")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
