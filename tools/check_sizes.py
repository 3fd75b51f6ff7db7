#!/usr/bin/env python3
"""Checks the sizes of docs/architecture.md: lines of files and functions, parameters, nesting."""

import re
import sys

from cpp_functions import functions_of
from source_files import ROOT, cpp_files, text_files

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 5
MAX_NESTING = 3
LAMBDA = re.compile(r"std :: function|FunctionRef")


def function_errors(file, text):
    for function in functions_of(text):
        place = f"{file}:{function.first_line}: `{function.name}`"
        parameters = [p for p in function.parameters if not LAMBDA.search(p)]
        if function.lines > MAX_FUNCTION_LINES:
            yield f"{place} has {function.lines} lines; at most {MAX_FUNCTION_LINES}"
        if len(parameters) > MAX_PARAMETERS:
            yield f"{place} has {len(parameters)} parameters; at most {MAX_PARAMETERS}, then a struct"
        if function.nesting > MAX_NESTING:
            yield f"{place} nests {function.nesting} levels deep; at most {MAX_NESTING}"


def main():
    errors, measured = [], 0
    for path in text_files():
        lines = (ROOT / path).read_text().count("\n")
        if lines > MAX_FILE_LINES:
            errors.append(f"{path}: {lines} lines; at most {MAX_FILE_LINES}")
    for path in cpp_files():
        text = (ROOT / path).read_text()
        measured += len(functions_of(text))
        errors += function_errors(path, text)
    print("\n".join(errors) if errors else f"{measured} functions keep to the sizes")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
