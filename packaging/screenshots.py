"""Make every picture of the documentation from the sample photos: the real window, drawn unseen.

``python packaging/screenshots.py [--only NAME...] [--out docs/images]`` opens the window without a
screen, does what a person would, with the default networks, and saves what is drawn as JPEG. Names
are those of the stories below; a story makes several pictures, since each needs what came before.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from screenshot_hands import Hands, save
from screenshot_maps import competing, looking, votes, whole_set
from screenshot_sample import (
    annotated_project,
)
from screenshot_steps import by_hand, first_steps

from fmstudio.app import make_application
from fmstudio.demo import SHEET, run_demo
from fmstudio.project.edits import RenameProject
from fmstudio.resources import resource
from fmstudio.session import Session

ROOT = Path(__file__).resolve().parents[1]


def program(hands: Hands) -> None:
    """Show networks, settings, backups, the import and the palette."""
    opening = hands.studio.opening
    session = annotated_project(hands.folder, "cats", ["cats"])
    path = session.path
    session.close()
    # Backups are made of what has changed when a project is opened.
    for name in ("Cats", "Cats of the garden"):
        with Session.open(path) as session:
            session.perform(RenameProject(name))
    opening.open_project(path)
    hands.ready()
    for id_ in ("models", "settings", "restore-backup"):
        hands.act(id_)
        dialog: Any = hands.dialog()
        hands.rest()
        if id_ == "models":
            # One that is not on the disk: of others the folder is shown.
            dialog.table.selectRow(2)
        hands.shoot("backups" if id_ == "restore-backup" else id_, dialog)
        dialog.close()
        hands.wait(0.3)
    hands.act("palette")
    hands.shoot_with_popup("palette", "map")
    labelled = hands.folder / "labelled"
    shutil.copytree(resource("sample/cats"), labelled)
    opening.new_project(hands.folder / "all-cats.fmstudio")
    hands.act("import-coco")
    dialog = hands.dialog()
    dialog.set_path(labelled / "coco.json")
    hands.rest()
    hands.shoot("import", dialog)
    dialog.close()


def demo(hands: Hands) -> None:
    """Draw the contact sheet of `fmstudio demo`, smaller."""
    run_demo(hands.folder / "demo", device="cpu")
    with Image.open(hands.folder / "demo" / SHEET) as sheet:
        save(sheet.convert("RGB").resize((1160, round(1160 * sheet.height / sheet.width))),
             hands.out / "demo.jpg")  # fmt: skip


STORIES = {
    "demo": demo,
    "first-steps": first_steps,
    "by-hand": by_hand,
    "looking": looking,
    "votes": votes,
    "competing": competing,
    "whole-set": whole_set,
    "program": program,
}


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=tuple(STORIES), default=tuple(STORIES))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    make_application()
    # Some pictures show a path: always the same one, and not a person's.
    place = Path(tempfile.gettempdir()) / "fmstudio-pictures"
    place.mkdir()
    try:
        for name in given.only:
            (place / name).mkdir()
            hands = Hands(place / name, given.out)
            STORIES[name](hands)
            hands.end()
    finally:
        shutil.rmtree(place)
    sys.stdout.flush()
    # Taking torch down as Python does it takes seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
