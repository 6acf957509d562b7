import struct

import numpy as np
import pytest

from fmstudio.errors import FormatError
from fmstudio.io.flow import read_flow, write_flow


def test_what_is_written_is_read(tmp_path):
    flow = np.random.default_rng(0).normal(0, 20, (5, 7, 2)).astype(np.float32)
    flow[2, 3] = np.nan
    write_flow(tmp_path / "a.flo", flow)
    assert np.array_equal(read_flow(tmp_path / "a.flo"), flow, equal_nan=True)


def test_the_layout_is_the_published_one(tmp_path):
    path = tmp_path / "a.flo"
    path.write_bytes(b"PIEH" + struct.pack("<ii4f", 2, 1, 1.0, -2.0, 1e10, 0.0))
    flow = read_flow(path)
    assert flow.shape == (1, 2, 2)
    assert flow[0, 0].tolist() == [1, -2]
    assert np.isnan(flow[0, 1]).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PIEH",
        b"PNG?" + struct.pack("<ii2f", 1, 1, 0, 0),
        b"PIEH" + struct.pack("<ii2f", 1, 2, 0, 0),
        b"PIEH" + struct.pack("<ii2f", -1, -1, 0, 0),
        b"PIEH" + struct.pack("<ii", 2**30, 2**30),
    ],
)
def test_a_damaged_file_is_named(tmp_path, data):
    (tmp_path / "broken.flo").write_bytes(data)
    with pytest.raises(FormatError, match=r"broken\.flo"):
        read_flow(tmp_path / "broken.flo")
