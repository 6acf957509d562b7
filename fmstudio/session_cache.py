"""What stands in a project's cache folder, seen to."""

from pathlib import Path


def damaged_cache_files(folder: Path) -> list[Path]:
    """Return the files that cannot be read, or hold other bits than were written.

    Imports torch where there are any files at all.
    """
    if not folder.is_dir():
        return []
    from fmstudio.engine.cache import damaged_files

    return list(damaged_files(folder))
