"""What is said where Ray cannot be used; the cluster itself is in tests/e2e/test_ray.py."""

import importlib.util
import socket
import sys

import pytest

from fmstudio.engine.ray_cluster import RayCluster, RayWish
from fmstudio.errors import MatchError


def test_a_missing_ray_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MatchError, match=r"^Ray is not installed: .*fmstudio\[distributed\]'"):
        RayCluster(RayWish())


def test_at_least_one_worker():
    with pytest.raises(ValueError, match="at least 1 worker, not 0"):
        RayWish("local", 0)


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_an_address_where_nobody_is_is_said_at_once():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with RayCluster(RayWish(address)) as cluster, pytest.raises(MatchError) as caught:
            assert cluster.is_up(10)
    expected = f"Ray cannot be used on the cluster at {address}: Connection refused."
    assert str(caught.value) == expected
