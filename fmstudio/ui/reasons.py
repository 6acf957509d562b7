"""The names of the reasons of doubt, as menus and legends have them."""

from PySide6.QtCore import QCoreApplication

from fmstudio.project.doubt import Reason
from fmstudio.ui.action_specs import N

_CONTEXT = "reasons"
_NAMES = {
    Reason.CYCLE: N("reasons", "Way back"),
    Reason.MARGIN: N("reasons", "Ambiguity"),
    Reason.STRETCH: N("reasons", "Stretch"),
    Reason.COVERAGE: N("reasons", "Support"),
    Reason.SPREAD: N("reasons", "Agreement"),
    Reason.OCCLUSION: N("reasons", "Visibility"),
}
_TIPS = {
    Reason.CYCLE: N(
        "reasons", "How far from its start a point ends that is carried there and back"
    ),
    Reason.MARGIN: N("reasons", "By how much the best place beats the best one elsewhere"),
    Reason.STRETCH: N("reasons", "How far the map's scale here is from the object's own"),
    Reason.COVERAGE: N("reasons", "Share of the patches around that support the object's map"),
    Reason.SPREAD: N("reasons", "How near the references' own points lie to each other"),
    Reason.OCCLUSION: N("reasons", "Whether it resembles anything here; a guess, no probability"),
}


def reason_name(reason: Reason) -> str:
    """Return what a menu calls a reason."""
    return QCoreApplication.translate(_CONTEXT, _NAMES[reason])


def reason_tip(reason: Reason) -> str:
    """Return in a few words what a reason measures."""
    return QCoreApplication.translate(_CONTEXT, _TIPS[reason])
