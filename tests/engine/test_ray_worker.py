"""What a worker refuses; what it does is in tests/e2e/test_ray.py."""

import pytest

from fmstudio.engine.ray_worker import CODE, RayWorker
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import MatchError


def test_another_fmstudio_is_refused():
    with pytest.raises(MatchError, match=r"another fmstudio .*here 0\.0\.1\): install"):
        RayWorker().prepare("0.0.1", MatchSettings(), "cpu", None)


def test_a_device_that_the_machine_lacks_is_said():
    with pytest.raises(MatchError, match=r'^A worker of Ray cannot compute: .* not "abacus"\.$'):
        RayWorker().prepare(CODE, MatchSettings(), "abacus", None)
