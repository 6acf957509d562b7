import gc
import weakref

import pytest

from fmstudio.errors import ProjectError
from fmstudio.project.edits import RenameProject, apply
from fmstudio.project.history import History
from fmstudio.project.model import Project


def renamed(history: History, name: str) -> History:
    edit = RenameProject(name)
    return history.push(apply(history.present, edit), edit.label)


def test_labels_follow_the_steps() -> None:
    history = renamed(renamed(History(Project.build("a")), "b"), "c")
    assert history.undo_label == "Rename the project to 'c'"
    assert history.redo_label is None
    back = history.undo()
    assert back.present.name == "b"
    assert (back.undo_label, back.redo_label) == (
        "Rename the project to 'b'",
        "Rename the project to 'c'",
    )


def test_a_new_edit_forgets_what_was_undone() -> None:
    history = renamed(renamed(History(Project.build("a")), "b").undo(), "c")
    with pytest.raises(ProjectError, match="nothing to redo"):
        history.redo()


def test_there_is_an_end_in_both_directions() -> None:
    history = History(Project.build("a"))
    with pytest.raises(ProjectError, match="nothing to undo"):
        history.undo()
    with pytest.raises(ProjectError, match="nothing to redo"):
        history.redo()
    with pytest.raises(ValueError, match="at least one step"):
        History(Project.build("a"), limit=0)


def test_the_past_is_bounded() -> None:
    history = History(Project.build("0"), limit=3)
    for i in range(1, 10):
        history = renamed(history, str(i))
    assert [step.project.name for step in history.past] == ["6", "7", "8"]
    assert history.undo().undo().undo().redo().limit == 3


def test_a_version_that_left_the_history_is_not_kept_alive() -> None:
    class Witness(str):
        """A name that can be watched."""

    name = Witness("first")
    watched = weakref.ref(name)
    history = History(Project.build(name), limit=1)
    del name
    for i in range(3):
        history = renamed(history, str(i))
    gc.collect()
    assert watched() is None
