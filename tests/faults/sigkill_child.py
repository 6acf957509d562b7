"""What test_sigkill.py kills: reads a project's path, then forks a worker for every line "go".

The worker edits the project and receives and lands proposals for ever, and prints each thing
after the call that did it has returned. Every thing is marked by a number that is used once.
"""

import itertools
import os
import random
import sys
from pathlib import Path

import numpy as np

from fmstudio.engine.requests import ImageRef, Proposal, ProposedMark
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, AddImages, SetStatus
from fmstudio.project.model import Annotation, ImageItem, Status
from fmstudio.session import Session

SIZE = ImageSize(64, 48)


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def points(number: int) -> Keypoints:
    return Keypoints.drawn([[float(number), 1.0]], [2])


def propagate(session: Session, rng: random.Random, numbers: itertools.count) -> None:
    """Receive proposals on new images one by one, and perhaps land them."""
    n = rng.randint(1, 5)
    first = next(numbers)
    items = tuple(ImageItem(0, f"{first}-{i}.png", SIZE, "") for i in range(n))
    added = session.perform(AddImages(items)).images.added
    for id_ in added:
        say("image", id_, session.project.images[id_].path)
    request = session.request([1], added)
    mark, *_ = request.references[0].marks
    for target in request.targets:
        number = next(numbers)
        found = ProposedMark(mark.category, (mark.id,), points(number), mark.mask, 0.5)
        ref = ImageRef(target.id, target.key, target.name, target.size)
        session.receive(Proposal(ref, (found,), "key"))
        say("received", target.id, number)
    if rng.random() < 0.7:
        for id_ in session.land().landed:
            say("landed", id_)


def work(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    numbers = itertools.count(seed * 1_000_000)
    mask = Mask.from_array(np.eye(SIZE.height, SIZE.width, dtype=bool))
    with Session.open(path) as session:
        say("open", len(session.inbox))
        while True:
            if rng.random() < 0.5:
                propagate(session, rng, numbers)
                continue
            number = next(numbers)
            edit = AddAnnotation(Annotation(0, 1, 1, points(number), mask))
            (id_,) = session.perform(edit).annotations.added
            say("drawn", id_, number)
            session.perform(SetStatus((id_,), Status.REJECTED))
            say("rejected", id_)


def main() -> None:
    path = Path(sys.argv[1])
    for seed, _ in enumerate(sys.stdin, 1):
        child = os.fork()
        if child == 0:
            work(path, seed)
        say("pid", child)
        _, status = os.waitpid(child, 0)
        say("dead", os.waitstatus_to_exitcode(status))


main()
