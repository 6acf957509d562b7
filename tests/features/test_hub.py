"""Weights into the cache: resumable downloads from a hub on this machine, and local folders."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
import timm
from safetensors.torch import save_file

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import Cancelled, WeightsError
from fmstudio.features import weights
from fmstudio.features.hub import fetch, partial_bytes, take_steps

CONTENT = bytes(range(256)) * 4_000
COMMIT = "c" * 40
REPO = weights.HUB["dinov2-s"].repo
TINY = "vit_tiny_patch16_224"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


class Hub(ThreadingHTTPServer):
    """As much of a model hub as a download needs; it notes from where it was asked to send."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.files: dict[str, bytes] = {}
        self.etag = hashlib.sha256(CONTENT).hexdigest()
        self.status = 200
        self.commit = COMMIT
        self.small_tag = ""
        self.starts: list[int] = []
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        name = self.file()
        if name:
            content = self.server.files[name]
            # A small file's tag is the hash that git gives it, on the real hub too.
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            small = self.server.small_tag or blob
            tag = small if name.endswith(".json") else hashlib.sha256(content).hexdigest()
            self.answer(200, len(content), tag)
            return
        self.answer(self.server.status, len(self.server.content))

    def do_GET(self) -> None:
        content = self.server.files.get(self.file(), self.server.content)
        if not self.file() and not self.path.endswith("model.safetensors"):
            self.answer(404, 0)  # what the client asks for itself, once a process
            return
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        self.server.starts.append(start)
        self.server.asked.append(self.file())
        rest = content[start:]
        self.answer(206 if wanted else 200, len(rest))
        self.wfile.write(rest)

    def file(self) -> str:
        """Return which of the server's several files is asked for, or nothing."""
        path = self.path.partition("?")[0]
        return next((name for name in self.server.files if path.endswith(f"/{name}")), "")

    def answer(self, status: int, length: int, tag: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Repo-Commit", self.server.commit)
        self.send_header("ETag", f'"{tag or self.server.etag}"')
        self.send_header("Content-Length", str(length if status < 300 else 0))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 100_000)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def no_check() -> None:
    return


def stop_halfway() -> None:
    token = CancelToken()

    def progress(done: int, total: int) -> None:
        if done >= total // 2:
            token.cancel()

    with pytest.raises(Cancelled):
        fetch("dinov2-s", progress, token.check)


def test_a_download_is_found_by_all_who_read_the_cache(hub: Hub) -> None:
    told: list[tuple[int, int]] = []
    path = fetch("dinov2-s", lambda done, total: told.append((done, total)))
    assert path == weights.find("dinov2-s")
    assert path.read_bytes() == CONTENT
    assert weights.verify("dinov2-s", path) == hub.etag
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert fetch("dinov2-s") == path
    assert hub.starts == [0]


def test_a_stopped_download_goes_on_where_it_ended(hub: Hub) -> None:
    stop_halfway()
    left = partial_bytes(REPO)
    assert len(CONTENT) // 2 <= left < len(CONTENT)
    with pytest.raises(WeightsError, match="not on this disk"):
        weights.find("dinov2-s")
    told: list[int] = []
    path = fetch("dinov2-s", lambda done, _: told.append(done))
    assert hub.starts == [0, left]
    assert told[0] > left
    assert path.read_bytes() == CONTENT
    assert partial_bytes(REPO) == 0


def test_what_was_damaged_on_the_way_is_not_kept(hub: Hub) -> None:
    hub.etag = "0" * 64
    with pytest.raises(WeightsError, match="is damaged: download it again"):
        fetch("dinov2-s")
    assert partial_bytes(REPO) == 0
    with pytest.raises(WeightsError, match="not on this disk"):
        weights.find("dinov2-s")


@pytest.mark.parametrize(
    ("etag", "commit"),
    [
        ("../../../../escaped", COMMIT), ("/escaped", COMMIT), ("x" * 64, COMMIT), ("", COMMIT),
        (hashlib.sha256(CONTENT).hexdigest(), "../../../escaped"),
        (hashlib.sha256(CONTENT).hexdigest(), "main"),
    ],
)  # fmt: skip
def test_a_hub_that_lies_writes_nothing_outside_of_the_cache(
    hub: Hub, tmp_path: Path, etag: str, commit: str
) -> None:
    hub.etag, hub.commit = etag, commit
    with pytest.raises(WeightsError):
        fetch("dinov2-s")
    assert not list(tmp_path.rglob("*escaped*"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_left_over_that_is_longer_than_the_file_is_no_start(hub: Hub, cache: Path) -> None:
    stop_halfway()
    (part,) = cache.rglob("*.fmstudio-part")
    part.write_bytes(CONTENT + b"more")
    assert fetch("dinov2-s").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "said"), [(401, "agreed to its terms"), (404, "could not be fetched from timm/")]
)
def test_a_refusal_of_the_hub_is_explained(hub: Hub, status: int, said: str) -> None:
    hub.status = status
    with pytest.raises(WeightsError, match=said):
        fetch("dinov2-s")


def test_being_offline_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens there.
    url = "http://127.0.0.1:9"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    with pytest.raises(WeightsError, match="seems to be offline") as caught:
        fetch("dinov2-s")
    assert "local folder" in str(caught.value)


def test_a_cache_that_cannot_be_written_is_named(hub: Hub, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot be kept at"):
        fetch("dinov2-s")


def test_embedded_weights_need_no_fetching() -> None:
    assert fetch("efficientnet-lite0") == weights.find("efficientnet-lite0")


# Local folders


def save_tiny(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(timm.create_model(TINY, pretrained=False).state_dict(), path)


@pytest.mark.parametrize(
    "place",
    [
        "model.safetensors",
        f"{TINY}.safetensors",
        "models--timm--vit_tiny_patch16_224.augreg_in21k_ft_in1k/snapshots/abc/model.safetensors",
    ],
)
def test_weights_of_a_local_folder_are_copied_once_they_fit(tmp_path: Path, place: str) -> None:
    source = tmp_path / "stick" / place
    save_tiny(source)
    *steps, path = take_steps(f"vit:{TINY}", tmp_path / "stick", no_check)
    size = source.stat().st_size
    assert steps[0] == (0, size)
    assert steps[-1] == (size, size)
    assert path == weights.find(f"vit:{TINY}")
    assert path.read_bytes() == source.read_bytes()
    assert weights.verify(f"vit:{TINY}", path) == weights.sha256_of(source)


def test_weights_of_another_network_are_refused_and_nothing_is_copied(
    tmp_path: Path, cache: Path
) -> None:
    save_tiny(tmp_path / "stick" / "model.safetensors")
    with pytest.raises(WeightsError, match="does not fit the network"):
        list(take_steps("dinov2-s", tmp_path / "stick", no_check))
    assert not list(cache.rglob("*.safetensors*"))


def test_a_folder_without_weights_is_told_what_to_hold(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"put model\.safetensors or vit_small_patch14"):
        list(take_steps("dinov2-s", tmp_path, no_check))


def test_a_copy_that_is_stopped_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    save_tiny(tmp_path / "stick" / "model.safetensors")
    token = CancelToken()
    steps = take_steps(f"vit:{TINY}", tmp_path / "stick", token.check)
    assert next(steps)[0] == 0
    assert next(steps)[0] > 0
    token.cancel()
    with pytest.raises(Cancelled):
        list(steps)
    assert not [p for p in cache.rglob("*") if p.is_file()]


# A model of several files

SD = weights.HUB["sd15"]


def several() -> dict[str, bytes]:
    return {file: CONTENT[i * 1_000 : 900_000] for i, file in enumerate(SD.files)}


def test_a_model_of_several_files_is_fetched_with_one_progress(hub: Hub) -> None:
    hub.files = several()
    told: list[tuple[int, int]] = []
    folder = fetch("sd15", lambda done, total: told.append((done, total)))
    total = sum(map(len, hub.files.values()))
    assert {t for _, t in told} == {total}
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == total
    assert folder == weights.find("sd15") == weights.cached(SD.repo)
    for name, content in hub.files.items():
        assert (folder / name).read_bytes() == content
    assert len(weights.verify("sd15", folder)) == 64
    assert fetch("sd15") == folder
    assert hub.asked == list(SD.files)


def test_a_stopped_download_of_several_files_keeps_the_whole_ones_and_the_part(hub: Hub) -> None:
    hub.files = several()
    sizes = [len(content) for content in hub.files.values()]
    token = CancelToken()

    def progress(done: int, total: int) -> None:
        if done > sum(sizes[:3]) + 300_000:
            token.cancel()

    with pytest.raises(Cancelled):
        fetch("sd15", progress, token.check)
    left = partial_bytes(SD.repo)
    assert sum(sizes[:3]) + 300_000 <= left < sum(sizes[:4])
    with pytest.raises(WeightsError, match=r'not on this disk; fetch them with "fmstudio models'):
        weights.find("sd15")
    folder = fetch("sd15")
    assert hub.asked == [*SD.files[:4], *SD.files[3:]]
    assert hub.starts[4] == left - sum(sizes[:3])
    assert (folder / SD.files[3]).read_bytes() == hub.files[SD.files[3]]


def test_a_small_file_is_checked_by_the_hash_that_git_gives_it(hub: Hub) -> None:
    hub.files = several()
    hub.small_tag = "0" * 40
    with pytest.raises(WeightsError, match="is damaged: download it again"):
        fetch("sd15")


def test_a_damaged_file_of_several_is_noticed(hub: Hub) -> None:
    hub.files = several()
    folder = fetch("sd15")
    path = (folder / SD.files[1]).resolve()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="damaged or another version"):
        weights.verify("sd15", folder)


@pytest.mark.parametrize("place", [".", "sd15", "stable-diffusion-v1-5"])
def test_a_diffusion_model_is_taken_from_a_local_folder(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr(
        "fmstudio.features.hub.make_extractor", lambda name, weights: tried.append(weights)
    )
    source = tmp_path / "stick" / place
    for part, stem in weights.PARTS.items():
        (source / part).mkdir(parents=True)
        (source / part / "config.json").write_text("{}")
        (source / part / f"{stem}.safetensors").write_bytes(CONTENT)
    *steps, folder = take_steps("sd15", tmp_path / "stick", no_check)
    assert tried == [source]
    total = 3 * len(CONTENT) + 6
    assert steps[0] == (0, total)
    assert steps[-1] == (total, total)
    assert folder == weights.find("sd15")
    assert (folder / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == CONTENT


def test_a_folder_without_a_diffusion_model_is_told_what_to_hold(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"put unet/diffusion_pytorch_model\.safetensors and"):
        list(take_steps("sd15", tmp_path, no_check))
