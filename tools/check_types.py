#!/usr/bin/env python3
"""Checks that no two files of one program define a type of the same name in the same namespace.

For the linker two such types are one: of their constructors and destructors it keeps one each, and no compiler says a
word. Types of an unnamed namespace are their file's own. Templates are left out: a name may have specialisations.
"""

import sys
from collections import defaultdict
from itertools import combinations
from pathlib import PurePath

from cpp_functions import closing_of, tokens_of, without_templates
from source_files import ROOT, cpp_files

TYPE_WORDS = {"class", "struct", "union", "enum"}


def type_name(head):
    """`Outer::Inner` of `struct Outer::Inner final : Base`, the tokens before a brace; nothing if it is no type."""
    words = [token.text for token in head]
    if not words or words[0] not in TYPE_WORDS:
        return None
    at = 2 if words[:2] == ["enum", "class"] else 1
    name = []
    while at < len(words) and (words[at] == "::" or words[at].isidentifier()) and words[at] != "final":
        name.append(words[at])
        at += 1
    # `struct Shape shape{1}` and `struct Shape make() {` define no type.
    is_type = bool(name) and "(" not in words and all(a == "::" or b == "::" for a, b in zip(name, name[1:]))
    return "".join(name) if is_type else None


def types_of(tokens, namespace):
    """(qualified name, line) of every type that the tokens of a namespace define."""
    start = at = 0
    while at < len(tokens):
        if tokens[at].text == ";":
            start = at = at + 1
            continue
        if tokens[at].text not in "([{":
            at += 1
            continue
        end = closing_of(tokens, at)
        if tokens[at].text == "{":
            head = tokens[start:at]
            words = [token.text for token in head]
            if words[:1] == ["namespace"] and len(words) > 1:
                yield from types_of(tokens[at + 1 : end], namespace + words[1:] + ["::"])
            elif words[:1] != ["template"] and (name := type_name(without_templates(head))):
                yield "".join(namespace) + name, head[0].line
            # A function ends here; of a type or a variable the `;` comes next.
            start = end + 1
        at = end + 1


def program_of(file):
    """The tests of a folder are one program, all else is part of every one."""
    return str(PurePath(file).parent) if file.startswith("tests/") else ""


def clashes(places):
    for first, second in combinations(places, 2):
        programs = {program_of(first[0]), program_of(second[0])}
        if first[0] != second[0] and (len(programs) == 1 or "" in programs):
            yield first, second


def main():
    known = defaultdict(list)
    for file in cpp_files():
        for name, line in types_of(tokens_of((ROOT / file).read_text()), []):
            known[name].append((file, line))
    errors = [
        f"{second[0]}:{second[1]}: `{name}` is also a type of {first[0]}:{first[1]}; put it into an unnamed namespace"
        for name, places in sorted(known.items())
        for first, second in clashes(places)
    ]
    print("\n".join(errors) if errors else f"{len(known)} types, each defined once")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
