"""How the reasons of a proposal's doubt are written into a project file.

``doubt`` blobs are float32, little-endian, NaN where a value is not known: extent on the source and
on the target, the mask's six reasons, then for each keypoint x, y, confidence and its six reasons,
in the order of `fmstudio.project.doubt.REASONS`.
"""

import sqlite3

import numpy as np

from fmstudio.project.doubt import REASONS, Doubt

_HEAD = 2 + len(REASONS)
_EACH = 3 + len(REASONS)


def add_doubt_columns(connection: sqlite3.Connection) -> None:
    """Let annotations keep why they may be wrong, and how they were decided on."""
    for table in ("annotations", "inbox_annotations"):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN doubt BLOB")
        connection.execute(
            f"ALTER TABLE {table} ADD COLUMN review TEXT NOT NULL DEFAULT 'seen' "
            "CHECK (review IN ('seen', 'unseen', 'audited'))"
        )


def pack_doubt(doubt: Doubt) -> bytes:
    """Return a doubt as float32, little-endian: extents, the mask's reasons, each point's."""
    head = np.array([doubt.extent_s, doubt.extent_t, *doubt.mask], dtype="<f4")
    each = np.column_stack([doubt.xy, doubt.confidence, doubt.reasons])
    return head.tobytes() + each.astype("<f4").tobytes()


def unpack_doubt(blob: bytes) -> Doubt:
    """Return the doubt of a blob of `pack_doubt`; raises ValueError if it is damaged."""
    if len(blob) % 4 or len(blob) // 4 < _HEAD or (len(blob) // 4 - _HEAD) % _EACH:
        raise ValueError("the reasons of doubt are cut short")
    values = np.frombuffer(blob, dtype="<f4")
    return Doubt.stored(values[:_HEAD], values[_HEAD:].reshape(-1, _EACH))
