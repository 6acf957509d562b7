"""What is wrong with a category draft, and what saving it would do to annotations."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication

from fmstudio.project.model import Project
from fmstudio.project.wording import counted
from fmstudio.ui.dialogs.category_draft import CategoryDraft

_SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """The annotations that have keypoints of a category.

    Attributes
    ----------
    labelled : ndarray, (n, m) bool
        Which keypoints are labelled in each.
    has_rest : ndarray, (n,) bool
        Which have a mask or a box beside.
    """

    labelled: NDArray[np.bool_]
    has_rest: NDArray[np.bool_]

    @classmethod
    def of(cls, project: Project, category_id: int) -> "Usage":
        """Return how a category is used in a project."""
        m = len(project.categories[category_id].keypoints)
        users = [
            (a.keypoints.labelled, a.mask is not None or a.bbox is not None)
            for a in project.annotations.values()
            if a.category_id == category_id and a.keypoints is not None
        ]
        labelled = np.array([row for row, _ in users], dtype=bool).reshape(len(users), m)
        return cls(labelled, np.array([rest for _, rest in users], dtype=bool))

    @classmethod
    def none(cls) -> "Usage":
        """Return the usage of a category that is new."""
        return cls(np.zeros((0, 0), dtype=bool), np.zeros(0, dtype=bool))

    def __len__(self) -> int:
        return len(self.has_rest)


@dataclass(frozen=True, slots=True)
class Effects:
    """What saving a draft does to the annotations that are there.

    Attributes
    ----------
    n_annotations : int
        With keypoints of the category.
    n_renamed, n_added : int
        Keypoints that go by another name, and new ones.
    is_reordered : bool
        Those that stay come in another order.
    lost : tuple of (str, int)
        Each removed keypoint, with how many annotations have it labelled.
    n_emptied : int
        Annotations that have nothing left and go.
    """

    n_annotations: int = 0
    n_renamed: int = 0
    n_added: int = 0
    is_reordered: bool = False
    lost: tuple[tuple[str, int], ...] = ()
    n_emptied: int = 0

    @property
    def n_lost_points(self) -> int:
        """Return how many placed points go."""
        return sum(n for _, n in self.lost)

    @classmethod
    def of(cls, draft: CategoryDraft, usage: Usage) -> "Effects":
        """Return what saving a draft would do."""
        if draft.stored is None or len(usage) == 0:
            return cls()
        mapping, old = draft.mapping(), draft.stored.keypoints
        kept = [i for i in mapping if i is not None]
        gone = sorted(set(range(len(old))) - set(kept))
        still = usage.labelled[:, kept].any(axis=1) if kept else np.zeros(len(usage), dtype=bool)
        # An unchanged mapping touches no annotation, whatever it holds.
        emptied = 0 if mapping == tuple(range(len(old))) else int((~still & ~usage.has_rest).sum())
        return cls(
            len(usage),
            sum(
                i is not None and old[i] != row.name.strip()
                for i, row in zip(mapping, draft.rows, strict=True)
            ),
            sum(i is None for i in mapping),
            kept != sorted(kept),
            tuple((old[i], int(usage.labelled[:, i].sum())) for i in gone),
            emptied,
        )


def fault_of(draft: CategoryDraft, taken: frozenset[str]) -> str:
    """Return one sentence on what keeps a draft from being saved; empty if nothing does.

    ``taken`` are the names of the other categories.
    """
    name = draft.name.strip()
    if not name:
        return _tr("Give the category a name.")
    if name in taken:
        return _tr("There is a category '{0}' already: choose another name.").format(name)
    names = [keypoint.strip() for keypoint in draft.names]
    if "" in names:
        return _tr("Keypoint {0} has no name: give it one or remove it.").format(
            names.index("") + 1
        )
    twice = next((name for name, n in Counter(names).items() if n > 1), None)
    if twice is not None:
        return _tr("Two keypoints are called '{0}': rename one of them.").format(twice)
    for row in draft.rows:
        if row.sigma is not None and not (math.isfinite(row.sigma) and row.sigma > 0):
            return _tr("The sigma of '{0}' must be above 0.").format(row.name)
    return ""


def effects_text(effects: Effects) -> str:
    """Return one sentence on what saving does to annotations; empty if nothing."""
    parts = []
    if effects.n_renamed:
        parts.append(_tr("renames {0}").format(counted(effects.n_renamed, "keypoint")))
    if effects.is_reordered:
        parts.append(_tr("puts keypoints in another order"))
    if effects.n_added:
        parts.append(_tr("adds {0}, not labelled yet").format(counted(effects.n_added, "keypoint")))
    if effects.lost:
        is_one = len(effects.lost) == 1
        shown = effects.lost[:_SHOWN_NAMES]
        named = [f"'{name}'" if is_one else f"'{name}' ({n:,})" for name, n in shown]
        if len(effects.lost) > _SHOWN_NAMES:
            named.append(_tr("{0} more").format(len(effects.lost) - _SHOWN_NAMES))
        points = counted(effects.n_lost_points, "placed point")
        parts.append(_tr("removes {0} with {1}").format(_listed(named), points))
    if effects.n_emptied:
        gone = counted(effects.n_emptied, "annotation")
        parts.append(_tr("drops {0}, left without any mark").format(gone))
    if not parts:
        return ""
    text = _tr("In {0}, saving {1}.")
    return text.format(counted(effects.n_annotations, "annotation"), _listed(parts))


def _listed(parts: list[str]) -> str:
    """Return words as a list in a sentence."""
    if len(parts) < 2:
        return "".join(parts)
    return _tr("{0} and {1}").format(", ".join(parts[:-1]), parts[-1])


def _tr(text: str) -> str:
    """Return a text in the person's language."""
    return QCoreApplication.translate("CategoryEditor", text)
