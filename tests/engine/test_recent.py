import pytest

from fmstudio.engine.recent import Recent


def test_what_was_used_lately_is_kept():
    made, recent = [], Recent()

    def value(key, most):
        return recent.get(key, lambda: made.append(key) or key.upper(), most)

    assert [value(key, 2) for key in "abac"] == ["A", "B", "A", "C"]
    assert made == ["a", "b", "c"]
    value("a", 2)
    value("b", 2)
    assert made == ["a", "b", "c", "b"]
    for key in "cdec":
        value(key, None)
    assert made[4:] == ["c", "d", "e"]


def test_what_cannot_be_made_is_not_kept():
    recent = Recent()
    recent.get("a", lambda: 1, 1)
    with pytest.raises(ZeroDivisionError):
        recent.get("b", lambda: 1 // 0, 1)
    assert recent.get("a", lambda: 2, 1) == 1
