"""Owns which files of the tree are sources."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["support", "ir", "frontend", "passes", "codegen", "runtime", "driver", "tools", "tests"]


def below(folders, suffixes):
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes:
                found.append(path.relative_to(ROOT).as_posix())
    return found


def cpp_files():
    return below(FOLDERS, (".h", ".cpp"))


def headers():
    return below(FOLDERS, (".h",))


def text_files():
    """What has a limit of length: code and scripts; tables (.def), golden files and documents do not."""
    return below(FOLDERS + ["std"], (".h", ".cpp", ".py", ".dlg", ".cmake"))
