"""The command next: which image to annotate next, and why."""

from pathlib import Path

from fmstudio.cli_output import note, progress, say, say_json, stop_on_interrupt
from fmstudio.cli_settings import checked_settings
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings, Progress
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_live import Live
from fmstudio.session_next import NextImage, next_image, next_request


def suggest(path: Path, settings: MatchSettings, device: str, *, as_json: bool) -> None:
    """Say which image's annotation would help the rest most.

    Raises
    ------
    Cancelled
        If the person stopped it.
    MatchError
        If no image can be read.
    ProjectError
        If all images have accepted work.
    """
    token = CancelToken()
    with Session.open(path) as session:
        request = next_request(session.project)
        live = Live(session.load, session.cache_dir, settings, device)
        with (
            stop_on_interrupt(token),
            checked_settings(),
            progress("Looking at images", "images", len(request.images)) as report,
        ):
            for item in next_image(live, request, token):
                if isinstance(item, Progress):
                    report(item.done, item.total)
                else:
                    found = item
        images = session.project.images
        _say(found, images[found.image_id].path, [images[i].path for i in found.covered], as_json)


def _say(found: NextImage, path: str, covered: list[str], as_json: bool) -> None:
    """Write the answer."""
    if as_json:
        answer = {"image": path, "covered": covered, "doubt": found.doubt, "reason": found.reason}
        say_json({**answer, "unread": found.unread})
        return
    say(f"{path}\n{found.reason}")
    if found.unread:
        note(f"{counted(found.unread, 'image')} could not be read.")
