#!/usr/bin/env python3
"""Checks the include graph against the picture of the layers in docs/architecture.md."""

import re
import sys

from source_files import ROOT, below

# folder: the folders whose headers it may include, besides its own.
LAYERS = {
    "support": [],
    "ir": ["support"],
    "frontend": ["ir", "support"],
    "passes": ["ir", "support"],
    "codegen": ["ir", "support"],
    "runtime": ["support"],
    "driver": ["frontend", "passes", "codegen", "runtime", "ir", "support"],
    "tools": ["driver"],
}
# The folders inside of a folder, in order: one sees those before it, and nothing after it. What lies in the folder
# itself comes last, but for the front doors.
INNER = {
    "frontend": ["text", "elaborate", "rules", "blocks"],
    "passes": ["derive", "simplify", "lower", "fuse", "plan", "schedule"],
    "driver": ["cli", "data", "engine", "training", "pictures", "step", "race", "verbs"],
}
# Headers of a folder itself that its inner folders see: what the folder makes.
INNER_DOORS = {"frontend": ["frontend/checked_program.h"]}
# Single headers that a folder may include although it may not see their folder.
EXCEPTIONS = {"codegen": ["runtime/abi.h", "runtime/abi.def"]}
# Folders of which others see only these headers: the rest is inside the room of a library.
FRONT_DOORS = {"codegen": ["codegen/jit.h", "codegen/module_facts.h"]}
# Headers that only tests may include.
FOR_TESTS = {"support/wake_defect.h": "support/defects.cpp"}

# library: where its headers begin, and the only places that may include them.
ROOMS = {
    "LLVM": (r"llvm(-c)?/", r"codegen/(?!jit\.h|module_facts\.h)[^/]+"),
    "Boost": (r"boost/", r"ir/graph/topology\.cpp"),
    "JSON": (r"nlohmann/", r"runtime/json\.(h|cpp)"),
    "CLI11": (r"CLI/", r"driver/(cli/[^/]+|opt\.cpp)"),
    "zlib": (r"zlib\.h", r"(tests/unit/)?runtime/.*"),
    "libpng": (r"png\.h", r"(runtime/png|driver/pictures/raster)\.cpp|tests/driver/png_reading\.h"),
    "Catch2": (r"catch2/", r"tests/catch\.h"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def project_include_error(file, included):
    folder = file.split("/")[0]
    target = included.split("/")[0]
    if target not in LAYERS and target != "tests":
        return f"`{included}` does not start with a folder of the project"
    if included in FOR_TESTS and folder != "tests" and file != FOR_TESTS[included]:
        return f"{included} is for tests alone"
    doors = FRONT_DOORS.get(target)
    if doors and folder != target and included not in doors and not file.startswith(f"tests/unit/{target}/"):
        return f"only {', '.join(doors)} of {target}/ is seen from outside, not {included}"
    if folder in ("tests", target) or target in LAYERS[folder] or included in EXCEPTIONS.get(folder, []):
        return None
    return f"{folder}/ may not include {included}; it may see {', '.join(LAYERS[folder]) or 'nothing'}"


def inner_include_error(file, included):
    folder = included.split("/")[0]
    if folder not in INNER or file.split("/")[0] != folder or included in INNER_DOORS.get(folder, []):
        return None
    order = INNER[folder]
    places = [order.index(inner) if inner in order else len(order) for inner in (file.split("/")[1], included.split("/")[1])]
    if places[0] >= places[1]:
        return None
    return f"{folder}/ is read in the order {', '.join(order)}; {file.split('/')[1]} may not include {included}"


def library_include_error(file, included):
    for library, (headers, rooms) in ROOMS.items():
        if re.match(headers, included) and not re.fullmatch(rooms, file):
            return f"{library} stays in its room ({rooms}), not in {file}"
    return None


def errors_of(file):
    for number, line in enumerate((ROOT / file).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, included = match[1] == '"', match[2]
        if quoted:
            error = project_include_error(file, included) or inner_include_error(file, included)
        else:
            error = library_include_error(file, included)
        if error:
            yield f"{file}:{number}: {error}"


def main():
    files = below([*LAYERS, "tests"], (".h", ".cpp", ".def"))
    errors = [error for file in files for error in errors_of(file)]
    print("\n".join(errors) if errors else f"{len(files)} files keep to the layers")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
