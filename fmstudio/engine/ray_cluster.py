"""A connection to Ray: a cluster of one's own on this machine, or one that runs elsewhere.

Importing this module imports neither Ray nor torch.
"""

import atexit
import contextlib
import importlib
import os
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from fmstudio.errors import MatchError

LOCAL = "local"

# Images on their way to workers; what does not fit waits on the disk.
_STORE_BYTES = 512 << 20
_PROBE_SECONDS = 5.0
# So long the end of the process waits for Ray's own processes to end.
_LEAVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RayWish:
    """Where Ray computes.

    Attributes
    ----------
    address : str
        "local" starts a cluster on this machine for as long as the job runs; else the address of
        one that runs, as "10.0.0.5:6379", from a machine that belongs to it.
    workers : int or None
        How many at most; None is one per GPU, or where there is none or it is not wished for,
        one per processor core.

    Raises
    ------
    ValueError
        If fewer than one worker is asked for.
    """

    address: str = LOCAL
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"Ray needs at least 1 worker, not {self.workers}")


class RayCluster:
    """A connection to Ray, made in the background; a context manager.

    A connection that this process has already is used, and left as it is.

    Parameters
    ----------
    wish : RayWish

    Raises
    ------
    MatchError
        If Ray is not installed.
    """

    def __init__(self, wish: RayWish) -> None:
        self.name = "this machine" if wish.address == LOCAL else f"the cluster at {wish.address}"
        self.is_local = wish.address == LOCAL
        self.ray = _import_ray(self.is_local)
        self._address = wish.address
        self._is_up = threading.Event()
        self._is_left = threading.Event()
        self._fault: Exception | None = None
        # One thread for the whole connection: the processes of a local cluster end with the
        # thread that started them. A daemon, as nobody waits for a start that was cancelled.
        self._thread = threading.Thread(target=self._stay, name="fmstudio-ray", daemon=True)

    def __enter__(self) -> Self:
        if self.ray.is_initialized():
            self._is_up.set()
        else:
            self._thread.start()
            atexit.register(self._wait_until_left)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask the connection to end, and do not wait for it."""
        self._is_left.set()

    def is_up(self, timeout: float) -> bool:
        """Return whether the connection stands, after waiting for it for at most these seconds.

        Raises
        ------
        MatchError
            If it could not be made.
        """
        if not self._is_up.wait(timeout):
            return False
        if self._fault is not None:
            text = getattr(self._fault, "strerror", None) or str(self._fault)
            reason = text.strip().partition("\n")[0].rstrip(".")
            raise MatchError(
                f"Ray cannot be used on {self.name}: {reason or type(self._fault).__name__}."
            ) from self._fault
        return True

    def count(self, resource: str) -> int:
        """Return how many of a resource, "CPU" or "GPU", all machines have together."""
        return int(self.ray.cluster_resources().get(resource, 0))

    def _stay(self) -> None:
        """Connect, and stay connected until the connection is left."""
        try:
            self._connect()
        except Exception as error:
            self._fault = error
        finally:
            self._is_up.set()
        self._is_left.wait()
        self.ray.shutdown()

    def _connect(self) -> None:
        """Connect to Ray, quietly."""
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.is_local:
            options |= {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
            # Not a running cluster that Ray might find by itself.
            self.ray.init(address=LOCAL, **options)
        else:
            _probe(self._address)
            self.ray.init(address=self._address, **options)

    def _wait_until_left(self) -> None:
        """Give Ray's processes a little time to end before this one does."""
        self._is_left.set()
        self._thread.join(_LEAVE_SECONDS)


def _import_ray(is_local: bool) -> Any:
    """Return the module ray; it reads its environment when it is imported."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray says on stdout, where results belong, that a worker ended: this leaves all of it out.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    if is_local:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        # Named after the systems on which it is the default: listen on the loopback device only.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MatchError(
            "Ray is not installed: run pip install 'fmstudio[distributed]', or leave --ray out."
        ) from error


def _probe(address: str) -> None:
    """Raise `OSError` if nobody listens at an address: Ray itself would wait for a minute."""
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdigit():
        return
    with contextlib.closing(socket.create_connection((host, int(port)), _PROBE_SECONDS)):
        return
