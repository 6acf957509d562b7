"""The command match: two photos side by side, as their map sees them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.cli_output import note, say
from fmstudio.cli_settings import checked_settings
from fmstudio.drawing.pair import Matches, Query, pair_sheet
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import Matcher, PairMap
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import MatchError
from fmstudio.geometry.grid import ImageSize
from fmstudio.io.images import file_sha256, read_rgb, write_png
from fmstudio.spectral.confidence import point_doubt
from fmstudio.spectral.convert import row_at
from fmstudio.spectral.transfer import transfer_keypoints

_MATCHES = 36
_APART = 3.0  # patches between two matches that are drawn
# Patches at the frame resemble each other by the padding that the networks saw there.
_FRAME = 3
# Of a point's heat map, in the score's units: as soft as masks are carried.
_TEMPERATURE = 0.05

Point = tuple[float, float]


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
    rgb_s, rgb_t = (read_rgb(path) for path in paths)
    if point is not None:
        _check_inside(point, ImageSize(rgb_s.shape[1], rgb_s.shape[0]), paths[0])
    note(f"Matching {paths[0].name} and {paths[1].name} ...")
    with checked_settings():
        matcher = Matcher(settings, device=choose_device(device))
        s, t = (
            matcher.analyse(rgb, file_sha256(path))
            for rgb, path in zip((rgb_s, rgb_t), paths, strict=True)
        )
        pair = matcher.pair(s, t)
    matches = find_matches(pair)
    query = make_query(pair, point or _surest(matches, pair))
    back = transfer_keypoints(pair.score.T, pair.grid_t, pair.grid_s, pair.grid_t.centers())
    picture = pair_sheet(
        rgb_s,
        rgb_t,
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


def find_matches(pair: PairMap, count: int = _MATCHES) -> Matches:
    """Return the surest matches of a pair, spread over the source.

    Parameters
    ----------
    pair : PairMap
    count : int
        At most so many; mutual nearest neighbours come first.
    """
    best, own = pair.score.max(dim=1).values, torch.arange(pair.grid_s.n)
    is_mutual = (pair.p2p_ts[pair.p2p_st].cpu() == own).numpy()
    rank = best.cpu().numpy() + np.where(is_mutual, 0.0, -10.0)
    places = np.stack(np.divmod(np.arange(pair.grid_s.n), pair.grid_s.cols), axis=1)
    chosen = _spread(np.argsort(-rank, kind="stable"), places, count)
    xy_s = pair.grid_s.centers()[chosen]
    xy_t = transfer_keypoints(pair.score, pair.grid_s, pair.grid_t, xy_s)
    doubt = point_doubt(pair.score, pair.grid_s, pair.grid_t, xy_s, xy_t)
    return Matches(xy_s, xy_t, doubt.confidence(pair.grid_s.size.long_side))


def make_query(pair: PairMap, xy_s: Point) -> Query:
    """Return where the map sees a point of the source, as a heat map and as a place."""
    xy = np.array([xy_s])
    row = row_at(pair.score, pair.grid_s, xy)
    heat = (row[0] / _TEMPERATURE).softmax(dim=0).reshape(pair.grid_t.rows, pair.grid_t.cols)
    x, y = transfer_keypoints(pair.score, pair.grid_s, pair.grid_t, xy)[0]
    return Query(xy_s, heat.cpu().numpy(), (float(x), float(y)))


def _spread(
    order: Sequence[int] | NDArray[np.int64], places: NDArray[np.int64], count: int
) -> list[int]:
    """Return the first patches of an order that keep their distance from those before them."""
    chosen: list[int] = []
    for index in order:
        if len(chosen) == count:
            break
        gaps = np.linalg.norm(places[chosen] - places[index], axis=1)
        if (gaps >= _APART).all():
            chosen.append(int(index))
    return chosen


def _surest(matches: Matches, pair: PairMap) -> Point:
    """Return the source's place of the match trusted most, away from both frames if there is one.

    Patches at the frame are the surest of all and say the least.
    """
    inner = np.ones(len(matches.score), dtype=bool)
    for xy, grid in ((matches.xy_s, pair.grid_s), (matches.xy_t, pair.grid_t)):
        rc = grid.xy_to_rc(xy)
        low, high = _FRAME - 0.5, np.array([grid.rows, grid.cols]) - _FRAME - 0.5
        inner &= ((rc > low) & (rc < high)).all(axis=1)
    x, y = matches.xy_s[int(np.argmax(matches.score + inner))]
    return float(x), float(y)


def _subtitle(settings: MatchSettings, matches: Matches) -> str:
    """Return the facts under the picture's title."""
    features = " + ".join(dict.fromkeys(settings.descriptor_extractors))
    mean = float(matches.score.mean())
    return f"{features}, k = {settings.k}; mean confidence of the lines {mean:.2f}"


def _check_inside(point: Point, size: ImageSize, path: Path) -> None:
    """Raise `MatchError` unless a point lies in an image."""
    if not (0 <= point[0] <= size.width and 0 <= point[1] <= size.height):
        raise MatchError(
            f"The point {point[0]:g},{point[1]:g} lies outside {path.name}, which has "
            f"{size.width} x {size.height} pixels."
        )
