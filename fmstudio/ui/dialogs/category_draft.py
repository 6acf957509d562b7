"""A category while a person edits it: rows that stay themselves when renamed or moved.

A draft is a value: every change returns the next one, so an editor undoes by keeping the old.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fmstudio.drawing.colors import Rgb, keypoint_colors
from fmstudio.project.edits_schema import KeypointMapping
from fmstudio.project.model import Category

DEFAULT_SIGMA = 0.05
"""What an export writes for a keypoint without a sigma: between COCO's wrist and shoulder."""

Pair = tuple[int, int]

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+")
_SIDES = {"left": "<", "l": "<", "right": ">", "r": ">"}
_MIRRORED = {"<": ">", ">": "<"}


@dataclass(frozen=True, slots=True)
class KeypointRow:
    """One keypoint of a draft.

    Attributes
    ----------
    key : int
        Which row it is, whatever its name and place.
    name : str
    origin : int or None
        Index of the stored keypoint that it continues; None for a new one.
    color : str or None
        ``#rrggbb``; None takes the palette's.
    sigma : float or None
        OKS falloff above 0; None takes the default.
    """

    key: int
    name: str
    origin: int | None = None
    color: str | None = None
    sigma: float | None = None


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    """A category being made or changed.

    Attributes
    ----------
    name, supercategory : str
    rows : tuple of KeypointRow
    limbs, flips : tuple of (int, int)
        Pairs of row keys: skeleton, and points that swap under a mirror.
    color : str or None
        One colour for the whole category, ``#rrggbb``.
    stored : Category or None
        What is changed; None for a new category.
    next_key : int
    """

    name: str = ""
    supercategory: str = "object"
    rows: tuple[KeypointRow, ...] = ()
    limbs: tuple[Pair, ...] = ()
    flips: tuple[Pair, ...] = ()
    color: str | None = None
    stored: Category | None = field(default=None, repr=False)
    next_key: int = 0

    @classmethod
    def of(cls, category: Category) -> "CategoryDraft":
        """Return the draft that changes a stored category."""
        m = len(category.keypoints)
        is_common = len(category.colors) == 1 and m != 1
        colors = (None,) * m if is_common else category.colors or (None,) * m
        sigmas = category.sigmas or (None,) * m
        rows = tuple(
            KeypointRow(i, name, i, color, sigma)
            for i, (name, color, sigma) in enumerate(
                zip(category.keypoints, colors, sigmas, strict=True)
            )
        )
        return cls(
            category.name,
            category.supercategory,
            rows,
            category.skeleton,
            category.flip_pairs,
            category.colors[0] if is_common else None,
            category,
            m,
        )

    # What it says

    @property
    def names(self) -> tuple[str, ...]:
        """Return the keypoints' names, in order."""
        return tuple(row.name for row in self.rows)

    @property
    def index(self) -> dict[int, int]:
        """Return the place of each row key."""
        return {row.key: i for i, row in enumerate(self.rows)}

    def category(self) -> Category:
        """Return the category as it would be stored; id 0 for a new one."""
        index = self.index
        sigmas = tuple(row.sigma or DEFAULT_SIGMA for row in self.rows)
        return Category(
            0 if self.stored is None else self.stored.id,
            self.name.strip(),
            self.supercategory.strip() or "object",
            tuple(name.strip() for name in self.names),
            tuple((index[a], index[b]) for a, b in self.limbs),
            tuple((index[a], index[b]) for a, b in self.flips),
            sigmas if any(row.sigma for row in self.rows) else (),
            self._stored_colors(),
        )

    def mapping(self) -> KeypointMapping:
        """Return which stored keypoint each row continues, as `ChangeCategory` wants it.

        A name that was removed and has come back continues what it was, so nothing is lost by it.
        """
        claimed = {row.origin for row in self.rows}
        free = {} if self.stored is None else _places(self.stored.keypoints)
        free = {name: i for name, i in free.items() if i not in claimed}
        return tuple(
            free.pop(row.name.strip(), None) if row.origin is None else row.origin
            for row in self.rows
        )

    # Changes

    def with_added(self, names: Iterable[str], at: int | None = None) -> "CategoryDraft":
        """Return the draft with new keypoints before a place, or at the end."""
        new = tuple(KeypointRow(self.next_key + i, name) for i, name in enumerate(names))
        at = len(self.rows) if at is None else at
        rows = (*self.rows[:at], *new, *self.rows[at:])
        return replace(self, rows=rows, next_key=self.next_key + len(new))

    def without(self, keys: Iterable[int]) -> "CategoryDraft":
        """Return the draft without some keypoints and their pairs."""
        gone = set(keys)
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.key not in gone),
            limbs=tuple(pair for pair in self.limbs if not gone & set(pair)),
            flips=tuple(pair for pair in self.flips if not gone & set(pair)),
        )

    def moved(self, keys: Iterable[int], to: int) -> "CategoryDraft":
        """Return the draft with some keypoints, in their order, put before the row at a place."""
        chosen = set(keys)
        block = [row for row in self.rows if row.key in chosen]
        before = [row for row in self.rows[:to] if row.key not in chosen]
        after = [row for row in self.rows[to:] if row.key not in chosen]
        return replace(self, rows=(*before, *block, *after))

    def with_row(self, row: KeypointRow) -> "CategoryDraft":
        """Return the draft with another name, colour or sigma in the row of the same key."""
        return replace(self, rows=tuple(row if old.key == row.key else old for old in self.rows))

    def with_limb_toggled(self, a: int, b: int) -> "CategoryDraft":
        """Return the draft with two keypoints joined, or separated if they were."""
        rest = tuple(pair for pair in self.limbs if set(pair) != {a, b})
        if len(rest) < len(self.limbs):
            return replace(self, limbs=rest)
        return replace(self, limbs=(*self.limbs, (a, b)))

    def with_flip_toggled(self, a: int, b: int) -> "CategoryDraft":
        """Return the draft with two keypoints paired, or parted if they were.

        A keypoint has one counterpart at most: earlier pairs of either go.
        """
        rest = tuple(pair for pair in self.flips if not {a, b} & set(pair))
        if any(set(pair) == {a, b} for pair in self.flips):
            return replace(self, flips=rest)
        return replace(self, flips=(*rest, (a, b)))

    def with_suggested_flips(self) -> "CategoryDraft":
        """Return the draft with the pairs that names with left and right suggest added.

        Keypoints that are in a pair already keep it.
        """
        taken = {key for pair in self.flips for key in pair}
        keys = [row.key for row in self.rows]
        new = [(keys[a], keys[b]) for a, b in mirrored_names(self.names)]
        free = tuple(pair for pair in new if not taken & set(pair))
        return replace(self, flips=self.flips + free)

    def with_schema(self, category: Category) -> "CategoryDraft":
        """Return the draft with another category's schema; keypoints of equal name continue.

        Name and supercategory are taken over only where the draft has no name.
        """
        there = {row.name.strip(): row for row in self.rows}
        source = CategoryDraft.of(category)
        rows = tuple(
            replace(
                row,
                key=there[row.name].key if row.name in there else self.next_key + row.key,
                origin=there[row.name].origin if row.name in there else None,
            )
            for row in source.rows
        )
        keys = {old.key: new.key for old, new in zip(source.rows, rows, strict=True)}
        is_unnamed = not self.name.strip()
        return replace(
            self,
            name=category.name if is_unnamed else self.name,
            supercategory=category.supercategory if is_unnamed else self.supercategory,
            rows=rows,
            limbs=tuple((keys[a], keys[b]) for a, b in source.limbs),
            flips=tuple((keys[a], keys[b]) for a, b in source.flips),
            color=source.color,
            next_key=self.next_key + source.next_key,
        )

    @property
    def colors(self) -> tuple[Rgb, ...]:
        """Return the colour that each keypoint is drawn in."""
        return keypoint_colors(len(self.rows), self._stored_colors())

    def _stored_colors(self) -> tuple[str, ...]:
        """Return the colours to store: none, one for the category, or one per keypoint."""
        own = [row.color for row in self.rows]
        if not any(own):
            return () if self.color is None else (self.color,)
        given = () if self.color is None else (self.color,)
        palette = keypoint_colors(len(own), given)
        return tuple(color or hex_of(palette[i]) for i, color in enumerate(own))


def mirrored_names(names: tuple[str, ...]) -> tuple[Pair, ...]:
    """Return the pairs of places whose names differ by left and right only.

    Read so are the words left and right and the letters l and r that stand alone: ``left_eye``,
    ``LeftEye``, ``eye L``, ``l-eye``.
    """
    places: dict[tuple[str, ...], int] = {}
    for i, name in enumerate(names):
        places.setdefault(_tokens(name), i)
    pairs = []
    for i, name in enumerate(names):
        tokens = _tokens(name)
        partner = places.get(tuple(_MIRRORED.get(token, token) for token in tokens))
        if "<" in tokens and partner is not None and places[tokens] == i:
            pairs.append((i, partner))
    return tuple(pairs)


def _tokens(name: str) -> tuple[str, ...]:
    """Return the words of a name in small letters, the sides as < and >."""
    words = [word.lower() for word in _TOKEN.findall(name)]
    return tuple(_SIDES.get(word, word) for word in words)


def _places(names: tuple[str, ...]) -> dict[str, int]:
    """Return the place of each name."""
    return {name: i for i, name in enumerate(names)}


def hex_of(rgb: Rgb) -> str:
    """Return a colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)
