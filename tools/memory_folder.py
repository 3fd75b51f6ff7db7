"""Owns where tests write that sync files by the thousand: a file system in memory, where there is one."""

import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 256 << 20  # bytes that must be free


def memory_folder():
    """The root of a file system in memory with some room, or None: then the usual folder has to do."""
    has_room = MEMORY.is_mount() and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if has_room else None
