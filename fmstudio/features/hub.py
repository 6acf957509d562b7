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
from huggingface_hub.file_download import http_get, repo_folder_name
from huggingface_hub.utils import build_hf_headers, tqdm  # type: ignore[attr-defined]

from fmstudio.errors import FmstudioError, WeightsError
from fmstudio.features import weights
from fmstudio.features.registry import make_extractor
from fmstudio.features.weights import HUB_FILE

ReportBytes = Callable[[int, int], None]
"""Called with how many bytes are here, and how many there are (0 while unknown)."""

_PART = ".fmstudio-part"
_CHUNK = 8 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNREACHABLE = (
    "{host} cannot be reached: this machine seems to be offline. Connect it and try again, or take "
    "the weights from a local folder."
)


def fetch(
    name: str, progress: ReportBytes | None = None, check: Callable[[], None] | None = None
) -> Path:
    """Download a model's weights and return the file; go on where a stopped download ended.

    Parameters
    ----------
    name : str
        A short name such as "dinov2-s", or "vit:" and a timm name. What is on this disk already
        is returned at once.
    progress : callable or None
    check : callable or None
        Called between chunks; stops the download by raising, as `CancelToken.check` does.

    Raises
    ------
    WeightsError
        If there are no such weights, the hub cannot be reached, or what it sent is damaged.
    Cancelled
        Whatever ``check`` raises comes out as it is.
    """
    if name in weights.PACKAGED:
        return weights.find(name)
    repo = weights.hub_model(name).repo
    known = weights.cached(repo)
    if known is not None:
        return known
    try:
        return _download(repo, progress, check)
    except FmstudioError:
        raise
    except Exception as error:
        # The hub client's errors have no common root: its own, its HTTP library's, the system's.
        raise WeightsError(_sentence(name, repo, error)) from error


def partial_bytes(repo: str) -> int:
    """Return how much of a repository's weights a stopped download has left; 0 for nothing."""
    sizes = [0]
    # What is there now may be gone a moment later.
    with suppress(OSError):
        sizes += [part.stat().st_size for part in (_folder(repo) / "blobs").glob(f"*{_PART}")]
    return max(sizes)


def take_steps(
    name: str, folder: Path, check: Callable[[], None]
) -> Iterator[tuple[int, int] | Path]:
    """Copy a model's weights from a local folder, once they have proved to fit.

    Yields how many bytes are copied and how many there are, and at last the file in the cache.

    Parameters
    ----------
    name : str
        As for `fetch`.
    folder : Path
        Holds ``model.safetensors``, a file of the model's name, or a copy of a hub repository or
        of a whole hub cache.
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
    source = _find_in(folder, name, model.timm_name, model.repo)
    total = source.stat().st_size
    yield 0, total
    make_extractor(name, weights=source)
    check()
    blobs = _folder(model.repo) / "blobs"
    part = blobs / f"local-{os.getpid()}{_PART}"
    digest = hashlib.sha256()
    try:
        blobs.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as read, part.open("wb") as write:
            while chunk := read.read(_CHUNK):
                check()
                digest.update(chunk)
                write.write(chunk)
                yield write.tell(), total
        sha256 = digest.hexdigest()
        yield _lay_down(part, _folder(model.repo), sha256, sha256[:40])
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsError(f"{source} cannot be copied to {blobs}: {reason}.") from error
    finally:
        part.unlink(missing_ok=True)


def _download(repo: str, progress: ReportBytes | None, check: Callable[[], None] | None) -> Path:
    """Download a repository's weights and return where they lie."""
    url = hf_hub_url(repo, HUB_FILE)
    told = get_hf_file_metadata(url)
    if not (told.etag and told.commit_hash):
        raise WeightsError(f"{repo} does not say which version its weights are: try again later.")
    folder = _folder(repo)
    part = folder / "blobs" / f"{told.etag}{_PART}"
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as file:
        if told.size is not None and file.tell() > told.size:
            file.seek(0)
            file.truncate()
        # Another host, such as the one that stores the file, must not learn the person's token.
        is_same_host = urlsplit(told.location).netloc == urlsplit(url).netloc
        http_get(
            told.location,
            file,
            resume_size=file.tell(),
            headers=build_hf_headers() if is_same_host else {},
            expected_size=told.size,
            tqdm_class=_reporter(progress, check),
        )
    if _SHA256.fullmatch(told.etag):
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != told.etag:
            part.unlink()
            raise WeightsError(f"What {repo} sent is damaged: download it again.")
    return _lay_down(part, folder, told.etag, told.commit_hash)


def _reporter(progress: ReportBytes | None, check: Callable[[], None] | None) -> type[Any]:
    """Return a progress bar that draws nothing and reports to callables instead."""

    class Reporter(tqdm):
        """The only hook that the hub client offers into a running download."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.received = int(kwargs.get("initial") or 0)
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            if check is not None:
                check()
            if progress is not None:
                progress(self.received, int(self.total or 0))
            return None

    return Reporter


def _lay_down(part: Path, folder: Path, blob: str, commit: str) -> Path:
    """Give a whole file its place in the cache, and return the name under which it is found."""
    place, main = folder / "blobs" / blob, folder / "refs" / "main"
    part.replace(place)
    link = folder / "snapshots" / commit / HUB_FILE
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


def _find_in(folder: Path, name: str, timm_name: str, repo: str) -> Path:
    """Return the weights of a model in a folder; raises WeightsError if there are none."""
    cached = f"models--{repo.replace('/', '--')}/snapshots/*/{HUB_FILE}"
    short = name.partition(":")[0]
    patterns = (
        f"{short}.safetensors",
        f"{timm_name}.safetensors",
        f"{timm_name}/{HUB_FILE}",
        cached,
        f"hub/{cached}",
        f"snapshots/*/{HUB_FILE}",
        HUB_FILE,
    )
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.is_file():
                return path
    raise WeightsError(
        f"There are no weights of {name} in {folder}: put {HUB_FILE} or "
        f"{timm_name}.safetensors there."
    )


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
