"""Weights into the hub client's cache on this disk: from the hub, resumably, or from a folder.

What is fetched is laid down as the hub client does it (``blobs/SHA-256``, linked from
``snapshots/COMMIT``, named by ``refs/main``), so whoever reads that cache finds it. The client's
own download would do, but since its version 1 it throws away what a stopped download had brought.
Nothing else in fmstudio reaches for the network, and `fetch` runs only because a person asked.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import HfFileMetadata, http_get, repo_folder_name
from huggingface_hub.utils import build_hf_headers, tqdm  # type: ignore[attr-defined]

from fmstudio.errors import FmstudioError, WeightsError
from fmstudio.features import weights
from fmstudio.features.registry import make_extractor
from fmstudio.features.weights import HUB_FILE

ReportBytes = Callable[[int, int], None]
"""Called with how many bytes are here, and how many there are (0 while unknown), over all files."""

_PART = ".fmstudio-part"
_CHUNK = 8 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_UNREACHABLE = (
    "{host} cannot be reached: this machine seems to be offline. Connect it and try again, or take "
    "the weights from a local folder."
)


def fetch(
    name: str, progress: ReportBytes | None = None, check: Callable[[], None] | None = None
) -> Path:
    """Download a model's weights and return where they are; go on where a download was stopped.

    Parameters
    ----------
    name : str
        A short name such as "dinov2-s", or "vit:" and a timm name. What is on this disk already
        is returned at once.
    progress : callable or None
    check : callable or None
        Called between chunks; stops the download by raising, as `CancelToken.check` does.

    Returns
    -------
    Path
        The file; of a model of several files, their folder.

    Raises
    ------
    WeightsError
        If there are no such weights, the hub cannot be reached, or what it sent is damaged.
    Cancelled
        Whatever ``check`` raises comes out as it is.
    """
    if name in weights.PACKAGED:
        return weights.find(name)
    model = weights.hub_model(name)
    known = weights.cached(model.repo)
    if known is not None:
        return known
    try:
        return _download(model, progress, check)
    except FmstudioError:
        raise
    except Exception as error:
        # The hub client's errors have no common root: its own, its HTTP library's, the system's.
        raise WeightsError(_sentence(name, model.repo, error)) from error


def partial_bytes(repo: str) -> int:
    """Return how much of a repository's weights a stopped download has left; 0 for nothing.

    Of a model of several files those that are whole count too.
    """
    parts, whole = [0], 0
    several = any(m.repo == repo and m.is_folder for m in weights.HUB.values())
    # What is there now may be gone a moment later.
    with suppress(OSError):
        for path in (_folder(repo) / "blobs").iterdir():
            if path.name.endswith(_PART):
                parts.append(path.stat().st_size)
            elif several:
                whole += path.stat().st_size
    return max(parts) + whole


def take_steps(
    name: str, folder: Path, check: Callable[[], None]
) -> Iterator[tuple[int, int] | Path]:
    """Copy a model's weights from a local folder, once they have proved to fit.

    Yields how many bytes are copied and how many there are, and at last where they lie in the
    cache: the file, or the folder of a model of several.

    Parameters
    ----------
    name : str
        As for `fetch`.
    folder : Path
        Holds ``model.safetensors``, a file of the model's name, or a copy of a hub repository or
        of a whole hub cache; of a diffusion model, its networks' folders in diffusers' layout.
    check : callable
        As for `fetch`.

    Raises
    ------
    WeightsError
        If there are no such weights in it, or they do not fit the network.
    Cancelled
        Whatever ``check`` raises between two chunks; what was copied is taken back.
    """
    model = weights.hub_model(name)
    source = _find_in(folder, name, model)
    files = _files_of(source)
    total = sum(path.stat().st_size for path in files.values())
    yield 0, total
    make_extractor(name, weights=source)
    check()
    blobs = _folder(model.repo) / "blobs"
    parts = {file: blobs / f"local-{os.getpid()}-{i}{_PART}" for i, file in enumerate(files)}
    hashes, done = {}, 0
    try:
        blobs.mkdir(parents=True, exist_ok=True)
        for file, path in files.items():
            digest = hashlib.sha256()
            with path.open("rb") as read, parts[file].open("wb") as write:
                while chunk := read.read(_CHUNK):
                    check()
                    digest.update(chunk)
                    write.write(chunk)
                    done += len(chunk)
                    yield done, total
            hashes[file] = digest.hexdigest()
        # A version of its own: what was fetched of the repository stays as it is.
        commit = hashlib.sha256("".join(hashes.values()).encode()).hexdigest()[:40]
        links = [
            _lay_down(parts[file], _folder(model.repo), hashes[file], commit, file)
            for file in files
        ]
        yield links[0].parents[1] if model.is_folder else links[0]
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsError(f"{source} cannot be copied to {blobs}: {reason}.") from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _download(
    model: weights.HubModel, progress: ReportBytes | None, check: Callable[[], None] | None
) -> Path:
    """Download a model's files and return where they lie."""
    told = {file: get_hf_file_metadata(hf_hub_url(model.repo, file)) for file in model.files}
    total = sum(t.size or 0 for t in told.values())
    links, done = [], 0
    for file, t in told.items():
        links.append(_download_file(model.repo, file, t, _reporter(progress, check, done, total)))
        done += t.size or 0
    return links[0].parents[1] if model.is_folder else links[0]


def _download_file(repo: str, file: str, told: HfFileMetadata, reporter: type[Any]) -> Path:
    """Download one file of a repository and return where it lies."""
    url = hf_hub_url(repo, file)
    # Both become names in the cache, which must not lead out of it.
    commit, tag = told.commit_hash or "", told.etag or ""
    if not _SHA1.fullmatch(commit) or not (_SHA256.fullmatch(tag) or _SHA1.fullmatch(tag)):
        raise WeightsError(f"{repo} does not say which version its weights are: try again later.")
    folder = _folder(repo)
    link = folder / "snapshots" / commit / file
    if link.is_file() and link.stat().st_size == told.size:
        return link
    part = folder / "blobs" / f"{tag}{_PART}"
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as stream:
        if told.size is not None and stream.tell() > told.size:
            stream.seek(0)
            stream.truncate()
        # Another host, such as the one that stores the file, must not learn the person's token.
        is_same_host = urlsplit(told.location).netloc == urlsplit(url).netloc
        http_get(
            told.location,
            stream,
            resume_size=stream.tell(),
            headers=build_hf_headers() if is_same_host else {},
            expected_size=told.size,
            tqdm_class=reporter,
        )
    if _hash_of(part, tag) != tag:
        part.unlink()
        raise WeightsError(f"What {repo} sent is damaged: download it again.")
    return _lay_down(part, folder, tag, commit, file)


def _hash_of(path: Path, tag: str) -> str:
    """Return the hash of a file, of the kind that its tag on the hub is."""
    with path.open("rb") as stream:
        if _SHA256.fullmatch(tag):
            return hashlib.file_digest(stream, "sha256").hexdigest()
        # Small files are kept by git itself, under the hash that it gives them.
        data = stream.read()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _reporter(
    progress: ReportBytes | None, check: Callable[[], None] | None, before: int, total: int
) -> type[Any]:
    """Return a progress bar that draws nothing and reports to callables instead.

    It counts on from the bytes of the files ``before`` this one, towards the ``total`` of all.
    """

    class Reporter(tqdm):
        """The only hook that the hub client offers into a running download."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.received = before + int(kwargs.get("initial") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            if check is not None:
                check()
            if progress is not None:
                progress(self.received, total)
            return None

    return Reporter


def _lay_down(part: Path, folder: Path, blob: str, commit: str, file: str) -> Path:
    """Give a whole file its place in the cache, and return the name under which it is found."""
    place, main = folder / "blobs" / blob, folder / "refs" / "main"
    part.replace(place)
    link = folder / "snapshots" / commit / file
    for path in (main, link):
        path.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(os.path.relpath(place, link.parent))
    except OSError:
        # Windows allows links to developers only.
        place.replace(link)
    main.write_text(commit, encoding="ascii")
    return link


def _find_in(folder: Path, name: str, model: weights.HubModel) -> Path:
    """Return the weights of a model in a folder; raises WeightsError if there are none."""
    short, snapshots = name.partition(":")[0], "snapshots/*"
    cached = f"models--{model.repo.replace('/', '--')}/{snapshots}"
    if model.is_folder:
        places = [".", short, model.repo.rpartition("/")[2], cached, f"hub/{cached}", snapshots]
        wanted = " and ".join(f"{part}/{stem}.safetensors" for part, stem in weights.PARTS.items())
    else:
        single = (f"{short}.safetensors", f"{model.timm_name}.safetensors")
        inside = (model.timm_name, cached, f"hub/{cached}", snapshots, ".")
        places = [*single, *(f"{place}/{HUB_FILE}" for place in inside)]
        wanted = f"{HUB_FILE} or {model.timm_name}.safetensors"
    for place in places:
        # The folder itself is no pattern of its own.
        for path in [folder] if place == "." else sorted(folder.glob(place)):
            if _is_whole(path) if model.is_folder else path.is_file():
                return path
    raise WeightsError(f"There are no weights of {name} in {folder}: put {wanted} there.")


def _is_whole(folder: Path) -> bool:
    """Return whether a folder holds all networks of a diffusion model."""
    try:
        return all(weights.part_file(folder, part) for part in weights.PARTS)
    except WeightsError:
        return False


def _files_of(source: Path) -> dict[str, Path]:
    """Return the files of a model's weights by their names in its repository."""
    if source.is_file():
        return {HUB_FILE: source}
    networks = [weights.part_file(source, part) for part in weights.PARTS]
    paths = [path for network in networks for path in (network.parent / "config.json", network)]
    return {path.relative_to(source).as_posix(): path for path in paths}


def _folder(repo: str) -> Path:
    """Return the folder of a repository in the hub client's cache."""
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")


def _sentence(name: str, repo: str, error: Exception) -> str:
    """Return what a person reads of a download that failed."""
    host = urlsplit(constants.ENDPOINT).netloc
    reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    if isinstance(error, HfHubHTTPError):
        if error.response.status_code in (401, 403):
            return (
                f"{host} gives the weights of {name} only to those who are logged in and have "
                f"agreed to its terms: see https://{host}/{repo}."
            )
        return f"The weights of {name} could not be fetched from {repo}: {reason}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"The weights of {name} cannot be kept at {error.filename}: {error.strerror}."
    return f"{_UNREACHABLE.format(host=host)} ({reason})"
