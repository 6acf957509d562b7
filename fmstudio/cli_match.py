"""The command match: two photos side by side, as their map sees them."""

from pathlib import Path

from fmstudio.cli_output import note, say
from fmstudio.cli_settings import checked_settings
from fmstudio.drawing.canvas import Point
from fmstudio.drawing.pair import Matches, pair_sheet
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.figures.matches import find_matches, make_query, surest
from fmstudio.figures.photos import check_inside, match_photos
from fmstudio.io.images import probe, write_png
from fmstudio.spectral.transfer import transfer_keypoints


def match(
    paths: tuple[Path, Path],
    out: Path,
    *,
    point: Point | None,
    settings: MatchSettings,
    device: str,
) -> None:
    """Match two photos and write a picture of the map between them.

    Raises
    ------
    ImageError
        If a photo cannot be read or the picture not written.
    MatchError
        If the settings cannot be used, or the point lies outside the first photo.
    """
    if point is not None:
        check_inside(point, probe(paths[0]).size, paths[0].name)
    note(f"Matching {paths[0].name} and {paths[1].name} ...")
    with checked_settings():
        photos = match_photos(Matcher(settings, device=choose_device(device)), paths)
    pair = photos.map
    matches = find_matches(pair)
    query = make_query(pair, point or surest(matches, pair))
    back = transfer_keypoints(pair.score.T, pair.grid_t, pair.grid_s, pair.grid_t.centers())
    picture = pair_sheet(
        photos.a.rgb,
        photos.b.rgb,
        names=(paths[0].name, paths[1].name),
        title=f"{paths[0].name} to {paths[1].name}",
        subtitle=_subtitle(settings, matches),
        matches=matches,
        source_xy=back.reshape(pair.grid_t.rows, pair.grid_t.cols, 2),
        query=query,
    )
    write_png(out, picture)
    if point is not None and query.xy_t is not None:
        say(f"{point[0]:g},{point[1]:g} lies at {query.xy_t[0]:.1f},{query.xy_t[1]:.1f}")
    say(f"Wrote {out}.")


def _subtitle(settings: MatchSettings, matches: Matches) -> str:
    """Return the facts under the picture's title."""
    features = " + ".join(dict.fromkeys(settings.descriptor_extractors))
    mean = float(matches.score.mean())
    return f"{features}, k = {settings.k}; mean confidence of the lines {mean:.2f}"
