"""The commands of the window in one table: what each is called, its keys, when it can be given.

Menus, tool bar, command palette and the F1 sheet are filled from `ACTIONS`; nothing else carries a
key. `fmstudio.ui.actions` makes Qt's actions of it, `fmstudio.ui.wiring` says what they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

CONTEXT = "actions"


def N(context: str, text: str) -> str:  # noqa: ARG001 (Qt's QT_TRANSLATE_NOOP, in one letter)
    """Mark a text for translation; ``lupdate -tr-function-alias QT_TRANSLATE_NOOP+=N`` finds it."""
    return text


class Group(StrEnum):
    """Where a command stands in the F1 sheet and in the palette."""

    FILE = N("actions", "File")
    EDIT = N("actions", "Edit")
    TOOLS = N("actions", "Tools")
    REVIEW = N("actions", "Images and review")
    CATEGORIES = N("actions", "Categories")
    VIEW = N("actions", "View")
    INSPECT = N("actions", "Inspector")
    HELP = N("actions", "Program")


class When(StrEnum):
    """The conditions under which a command can be given; see `fmstudio.ui.actions.CONDITIONS`."""

    ALWAYS = "always"
    PROJECT = "project"
    IMAGES = "images"
    TARGET = "target"
    SELECTION = "selection"
    UNDO = "undo"
    REDO = "redo"
    REVIEWABLE = "reviewable"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command.

    Attributes
    ----------
    id : str
        What the program calls it.
    group : Group
    keys : tuple of str
        As `QKeySequence` reads them; the first is shown.
    enabled_when : When
    icon : str
        Name for `fmstudio.ui.icons.icon`; empty for none.
    text : str
        What a menu calls it, with ``...`` when it asks something first.
    tip : str
        The effect, in a few words.
    is_checkable : bool
    is_repeating : bool
        Whether a key that is held gives it again and again.
    """

    id: str
    group: Group
    keys: tuple[str, ...]
    enabled_when: When
    icon: str
    text: str
    tip: str
    is_checkable: bool = False
    is_repeating: bool = False


@dataclass(frozen=True, slots=True)
class Gesture:
    """What the mouse does, for the F1 sheet."""

    text: str
    hands: str


# A table reads as a table: a line for the machine, a line for the person.
# fmt: off
ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("new-project", Group.FILE, ("Ctrl+N",), When.ALWAYS, "new-project",
        N("actions", "New project..."), N("actions", "an empty project file where you like")),
    ActionSpec("open-folder", Group.FILE, ("Ctrl+O",), When.ALWAYS, "folder-open",
        N("actions", "Open a folder..."), N("actions", "its project, made if there is none")),
    ActionSpec("open-project", Group.FILE, ("Ctrl+Shift+O",), When.ALWAYS, "project",
        N("actions", "Open a project..."), N("actions", "go on with a project file")),
    ActionSpec("add-images", Group.FILE, ("Ctrl+Shift+A",), When.PROJECT, "add-images",
        N("actions", "Add images..."), N("actions", "add image files to the project")),
    ActionSpec("import-coco", Group.FILE, ("Ctrl+I",), When.PROJECT, "import",
        N("actions", "Import COCO..."), N("actions", "labels of a COCO file, after a preview")),
    ActionSpec("export", Group.FILE, ("Ctrl+E",), When.IMAGES, "export",
        N("actions", "Export COCO..."), N("actions", "write what is accepted, after a check")),
    ActionSpec("save", Group.FILE, ("Ctrl+S",), When.PROJECT, "save",
        N("actions", "Save"), N("actions", "each edit is written at once; this says where")),
    ActionSpec("restore-backup", Group.FILE, (), When.PROJECT, "history",
        N("actions", "Restore a backup..."), N("actions", "go back to how the project was")),
    ActionSpec("close", Group.FILE, ("Ctrl+W",), When.PROJECT, "close",
        N("actions", "Close the project"), N("actions", "go back to the welcome page")),
    ActionSpec("quit", Group.FILE, ("Ctrl+Q",), When.ALWAYS, "quit",
        N("actions", "Quit"), N("actions", "end fmstudio; nothing is lost")),

    ActionSpec("undo", Group.EDIT, ("Ctrl+Z",), When.UNDO, "undo",
        N("actions", "Undo"), N("actions", "take the last edit back"), is_repeating=True),
    ActionSpec("redo", Group.EDIT, ("Ctrl+Shift+Z", "Ctrl+Y"), When.REDO, "redo",
        N("actions", "Redo"), N("actions", "make an undone edit again"), is_repeating=True),
    ActionSpec("delete", Group.EDIT, ("Del",), When.SELECTION, "trash",
        N("actions", "Delete"), N("actions", "remove what is selected")),

    ActionSpec("select-tool", Group.TOOLS, ("V",), When.IMAGES, "select",
        N("actions", "Select"), N("actions", "select and move points"), is_checkable=True),
    ActionSpec("keypoint-tool", Group.TOOLS, ("K",), When.IMAGES, "keypoint",
        N("actions", "Keypoints"), N("actions", "place points in order"), is_checkable=True),
    ActionSpec("polygon-tool", Group.TOOLS, ("P",), When.IMAGES, "polygon",
        N("actions", "Polygon"), N("actions", "outline a mask"), is_checkable=True),
    ActionSpec("brush-tool", Group.TOOLS, ("B",), When.IMAGES, "brush",
        N("actions", "Brush"), N("actions", "paint a mask"), is_checkable=True),
    ActionSpec("eraser-tool", Group.TOOLS, ("E",), When.IMAGES, "eraser",
        N("actions", "Eraser"), N("actions", "take paint off a mask"), is_checkable=True),
    ActionSpec("box-tool", Group.TOOLS, ("R",), When.IMAGES, "box",
        N("actions", "Box"), N("actions", "draw a rectangle"), is_checkable=True),
    ActionSpec("assist-tool", Group.TOOLS, ("G",), When.IMAGES, "assist",
        N("actions", "Mask assistant"), N("actions", "find a mask from a rough stroke or box"),
        is_checkable=True),
    ActionSpec("brush-smaller", Group.TOOLS, ("[", ","), When.IMAGES, "brush-smaller",
        N("actions", "Smaller brush"), N("actions", "for brush, eraser and assistant"),
        is_repeating=True),
    ActionSpec("brush-larger", Group.TOOLS, ("]", "."), When.IMAGES, "brush-larger",
        N("actions", "Larger brush"), N("actions", "for brush, eraser and assistant"),
        is_repeating=True),

    ActionSpec("next-image", Group.REVIEW, ("D",), When.IMAGES, "next",
        N("actions", "Next image"), N("actions", "of the list"), is_repeating=True),
    ActionSpec("previous-image", Group.REVIEW, ("A",), When.IMAGES, "previous",
        N("actions", "Previous image"), N("actions", "of the list"), is_repeating=True),
    ActionSpec("search-images", Group.REVIEW, ("Ctrl+F",), When.IMAGES, "filter",
        N("actions", "Search the images"), N("actions", "by name, state, confidence or category")),
    ActionSpec("use-as-reference", Group.REVIEW, ("Shift+R",), When.TARGET, "reference",
        N("actions", "Use as reference"), N("actions", "show the target image on the left")),
    ActionSpec("propagate", Group.REVIEW, ("Ctrl+B",), When.IMAGES, "propagate",
        N("actions", "Propagate..."), N("actions", "carry keypoints and masks to other images")),
    ActionSpec("improve", Group.REVIEW, ("Ctrl+Shift+B",), When.IMAGES, "refresh",
        N("actions", "Improve the rest..."),
        N("actions", "accepted images become references for what waits")),
    ActionSpec("cancel-run", Group.REVIEW, ("Ctrl+.",), When.RUNNING, "stop",
        N("actions", "Cancel the run"), N("actions", "stop propagating, keep what has come")),
    ActionSpec("next-review", Group.REVIEW, ("Space",), When.IMAGES, "queue",
        N("actions", "Next to review"), N("actions", "go to the most doubtful proposal")),
    ActionSpec("accept", Group.REVIEW, ("Y",), When.REVIEWABLE, "accept",
        N("actions", "Accept"), N("actions", "the proposal is right; go to the next")),
    ActionSpec("reject", Group.REVIEW, ("X",), When.REVIEWABLE, "reject",
        N("actions", "Reject"), N("actions", "the proposal is wrong; go to the next")),
    ActionSpec("swap-map", Group.REVIEW, ("M",), When.IMAGES, "flip",
        N("actions", "Take the other map"),
        N("actions", "where two maps compete, the mirrored one or back")),
    ActionSpec("settle-points", Group.REVIEW, (), When.PROJECT, "",
        N("actions", "Corrections move other points"),
        N("actions", "what you place on a proposal is said to its other points"),
        is_checkable=True),
    ActionSpec("annotate-next", Group.REVIEW, ("Ctrl+Shift+N",), When.IMAGES, "annotate",
        N("actions", "Annotate next"),
        N("actions", "show the image that would help the rest most, and why")),
    ActionSpec("map-collection", Group.REVIEW, (), When.IMAGES, "",
        N("actions", "Map the collection"),
        N("actions", "which images are alike, which do not belong")),
    ActionSpec("spectrum", Group.VIEW, ("Shift+I",), When.PROJECT, "",
        N("actions", "Show the spectrum"),
        N("actions", "bases and functional map of the inspected pair")),
    ActionSpec("collection", Group.VIEW, ("Ctrl+M",), When.PROJECT, "images",
        N("actions", "Show the collection"), N("actions", "all images at a glance")),
    ActionSpec("accept-above", Group.REVIEW, ("Ctrl+Shift+Y",), When.IMAGES, "accept-all",
        N("actions", "Accept the confident..."),
        N("actions", "all proposals that are sure enough, as one edit")),

    ActionSpec("review-summary", Group.REVIEW, ("Ctrl+Shift+R",), When.IMAGES, "queue",
        N("actions", "Review summary..."),
        N("actions", "what is likely wrong, corrections, pace, an audit sample")),

    ActionSpec("categories", Group.CATEGORIES, ("Ctrl+K",), When.PROJECT, "categories",
        N("actions", "Categories..."), N("actions", "keypoints, skeletons and colours")),
    *(
        ActionSpec(f"category-{number}", Group.CATEGORIES, (str(number),), When.PROJECT, "",
            N("actions", "Category {}"), N("actions", "new annotations are of this category"),
            is_checkable=True)
        for number in range(1, 10)
    ),

    ActionSpec("fit", Group.VIEW, ("F",), When.IMAGES, "fit",
        N("actions", "Fit"), N("actions", "show the whole image")),
    ActionSpec("zoom-100", Group.VIEW, ("Ctrl+0",), When.IMAGES, "zoom-100",
        N("actions", "Zoom to 100 %"), N("actions", "an image pixel is a screen pixel")),
    ActionSpec("zoom-in", Group.VIEW, ("Ctrl++", "Ctrl+=", "+"), When.IMAGES, "zoom-in",
        N("actions", "Zoom in"), N("actions", "at the middle"), is_repeating=True),
    ActionSpec("zoom-out", Group.VIEW, ("Ctrl+-", "-"), When.IMAGES, "zoom-out",
        N("actions", "Zoom out"), N("actions", "at the middle"), is_repeating=True),
    ActionSpec("link-views", Group.VIEW, ("L",), When.PROJECT, "link",
        N("actions", "Link the views"), N("actions", "both canvases zoom and pan together"),
        is_checkable=True),
    ActionSpec("hide-overlays", Group.VIEW, ("H",), When.IMAGES, "eye-off",
        N("actions", "Hide overlays"), N("actions", "show the bare images"), is_checkable=True),
    ActionSpec("next-coloring", Group.VIEW, ("C",), When.IMAGES, "",
        N("actions", "Colour points by the next reason"),
        N("actions", "confidence, way back, ambiguity, and so on")),
    ActionSpec("show-other-map", Group.VIEW, ("Shift+M",), When.IMAGES, "flip",
        N("actions", "Show the other map"),
        N("actions", "lightly, where two maps compete"), is_checkable=True),
    ActionSpec("show-votes", Group.VIEW, ("Shift+V",), When.IMAGES, "skeleton",
        N("actions", "Show all votes"),
        N("actions", "where each reference puts each keypoint"), is_checkable=True),
    ActionSpec("show-reference", Group.VIEW, ("Ctrl+R",), When.PROJECT, "split",
        N("actions", "Show the reference"), N("actions", "two canvases, or one wide one"),
        is_checkable=True),
    ActionSpec("workspace-annotate", Group.VIEW, ("Ctrl+1",), When.PROJECT, "annotate",
        N("actions", "Annotate workspace"), N("actions", "one wide canvas")),
    ActionSpec("workspace-review", Group.VIEW, ("Ctrl+2",), When.PROJECT, "queue",
        N("actions", "Review workspace"), N("actions", "two canvases and the queue")),
    ActionSpec("workspace-inspect", Group.VIEW, ("Ctrl+3",), When.PROJECT, "inspect",
        N("actions", "Inspect workspace"), N("actions", "two wide canvases, the inspector below")),
    ActionSpec("full-screen", Group.VIEW, ("F11",), When.ALWAYS, "full-screen",
        N("actions", "Full screen"), N("actions", "use the whole screen"), is_checkable=True),

    ActionSpec("inspect", Group.INSPECT, ("I",), When.IMAGES, "inspect",
        N("actions", "Inspect"), N("actions", "where each place lies on the other image"),
        is_checkable=True),
    ActionSpec("inspect-heat", Group.INSPECT, ("Shift+H",), When.IMAGES, "",
        N("actions", "Next heat map"), N("actions", "of the map, the features, both, or none")),
    ActionSpec("inspect-colour", Group.INSPECT, ("Shift+C",), When.IMAGES, "",
        N("actions", "Colour"), N("actions", "the reference's colours on the target"),
        is_checkable=True),
    ActionSpec("inspect-checker", Group.INSPECT, ("Shift+K",), When.IMAGES, "",
        N("actions", "Checker"), N("actions", "a coloured checkerboard carried over"),
        is_checkable=True),
    ActionSpec("inspect-contour", Group.INSPECT, ("Shift+O",), When.IMAGES, "",
        N("actions", "Contour"), N("actions", "outline and skeleton carried over"),
        is_checkable=True),
    ActionSpec("inspect-grid", Group.INSPECT, ("Shift+G",), When.IMAGES, "",
        N("actions", "Grid"), N("actions", "a square grid, warped; folds are hatched"),
        is_checkable=True),
    ActionSpec("inspect-lines", Group.INSPECT, ("Shift+L",), When.IMAGES, "",
        N("actions", "Lines"), N("actions", "matched places, coloured by confidence"),
        is_checkable=True),
    ActionSpec("inspect-pin", Group.INSPECT, ("Shift+P",), When.IMAGES, "",
        N("actions", "Pin the point"), N("actions", "keep the point under the pointer, or let go")),
    ActionSpec("save-view", Group.INSPECT, ("Ctrl+Shift+S",), When.IMAGES, "",
        N("actions", "Save the view..."), N("actions", "both canvases as PNG or SVG")),

    ActionSpec("palette", Group.HELP, ("Ctrl+Shift+P",), When.ALWAYS, "search",
        N("actions", "Find a command..."), N("actions", "type a few letters of what you want")),
    ActionSpec("shortcuts", Group.HELP, ("F1",), When.ALWAYS, "keyboard",
        N("actions", "Keys and mouse"), N("actions", "what hands can do, on one sheet")),
    ActionSpec("models", Group.HELP, (), When.ALWAYS, "models",
        N("actions", "Models..."), N("actions", "networks, their licences, and what is on disk")),
    ActionSpec("settings", Group.HELP, ("Ctrl+,",), When.ALWAYS, "settings",
        N("actions", "Settings..."), N("actions", "theme, device, memory, keys")),
    ActionSpec("about", Group.HELP, (), When.ALWAYS, "info",
        N("actions", "About fmstudio"), N("actions", "version, licence, what it is made of")),
)

GESTURES: tuple[Gesture, ...] = (
    Gesture(N("actions", "Zoom at the pointer"), N("actions", "wheel")),
    Gesture(N("actions", "Pan"), N("actions", "middle drag; Space and drag")),
    Gesture(N("actions", "Select, move"), N("actions", "click, drag")),
    Gesture(N("actions", "Visible, hidden, absent"), N("actions", "right click on a point")),
    Gesture(N("actions", "Nudge by 1, 10, 0.1 px"), N("actions", "arrows; Shift; Alt")),
    Gesture(N("actions", "Skip a keypoint, take one back"), N("actions", "S, Backspace")),
    Gesture(N("actions", "Take away instead of add"), N("actions", "right button, Ctrl or Alt")),
    Gesture(N("actions", "Assistant from a box"), N("actions", "Shift and drag")),
    Gesture(N("actions", "Finish a drawing, drop it"), N("actions", "Enter, Esc")),
    Gesture(N("actions", "Pin the inspected point"), N("actions", "Alt and click")),
    Gesture(N("actions", "Open or add"), N("actions", "drop folders, images, projects")),
)
# fmt: on

SPECS: Mapping[str, ActionSpec] = {spec.id: spec for spec in ACTIONS}
