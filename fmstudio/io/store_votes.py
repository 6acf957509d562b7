"""How the references' votes and a competing map are written into a project file.

``votes`` blobs, one record after the other, little-endian: the source's id int64, what a person
lets it count float32, the number of keypoints uint32, then for each keypoint x, y, confidence and
weight, float32. ``alternative`` is JSON with what the map that was not taken is worth; what it
says is in ``alternative_keypoints``, ``alternative_mask`` and ``alternative_votes``.
"""

import json
import sqlite3
import struct
from collections.abc import Sequence

import numpy as np

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote

_HEAD = struct.Struct("<qfI")


def add_vote_columns(connection: sqlite3.Connection) -> None:
    """Let annotations keep the references' votes, and what a competing map would have said."""
    for table in ("annotations", "inbox_annotations"):
        for column in (
            "votes BLOB",
            "alternative TEXT",
            "alternative_keypoints BLOB",
            "alternative_mask BLOB",
            "alternative_votes BLOB",
        ):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def pack_votes(votes: Sequence[Vote]) -> bytes | None:
    """Return votes as a blob; None without any."""
    if not votes:
        return None
    parts = []
    for vote in votes:
        each = np.column_stack([vote.xy, vote.confidence, vote.weight]).astype("<f4")
        parts += [_HEAD.pack(vote.source, vote.say, len(vote)), each.tobytes()]
    return b"".join(parts)


def unpack_votes(blob: object) -> tuple[Vote, ...]:
    """Return the votes of a blob of `pack_votes`; raises ValueError if it is damaged."""
    if blob is None:
        return ()
    if not isinstance(blob, bytes):
        raise ValueError(f"{blob!r} stands where a blob should")
    votes, at = [], 0
    while at < len(blob):
        start = at + _HEAD.size
        if start > len(blob):
            raise ValueError("votes are cut short")
        source, say, m = _HEAD.unpack_from(blob, at)
        at = start + 16 * m
        if at > len(blob):
            raise ValueError("votes are cut short")
        each = np.frombuffer(blob, "<f4", 4 * m, start).reshape(m, 4)
        votes.append(Vote(source, each[:, :2], each[:, 2], each[:, 3], say))
    return tuple(votes)


def alternative_text(alternative: AlternativeMark | None) -> str | None:
    """Return what a map that was not taken is worth, as JSON; None without one."""
    if alternative is None:
        return None
    return json.dumps(
        {
            "quality": alternative.quality,
            "support": alternative.support,
            "taken_support": alternative.taken_support,
            "pose": alternative.pose,
            "taken_pose": alternative.taken_pose,
            "is_chosen": alternative.is_chosen,
        }
    )


def alternative_of(
    text: object, keypoints: Keypoints | None, mask: Mask | None, votes: object
) -> AlternativeMark | None:
    """Return the alternative of its columns; raises ValueError if they are damaged."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"{text!r} stands where text should")
    try:
        worth = json.loads(text)
        return AlternativeMark(
            keypoints,
            mask,
            float(worth["quality"]),
            float(worth["support"]),
            float(worth["taken_support"]),
            Pose(worth["pose"]),
            Pose(worth["taken_pose"]),
            unpack_votes(votes),
            bool(worth["is_chosen"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a competing map is described wrongly: {error}") from error
