import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.project.model import Annotation, Category, ImageItem, Project, Status
from fmstudio.project.search import WORDS, parse_query, quoted

SIZE = ImageSize(64, 48)
POINTS = Keypoints.drawn(np.ones((1, 2)), [2])
PROJECT = Project.build(
    "p",
    [
        ImageItem(1, "zoo/Lion 1.jpg", SIZE, ""),
        ImageItem(2, "zoo/lion2.png", SIZE, ""),
        ImageItem(3, "farm/cow.jpg", SIZE, ""),
        ImageItem(4, "farm/gru\u0308n Stra\u00dfe.jpg", SIZE, ""),
    ],
    [Category(1, "cat face", keypoints=("nose",)), Category(2, "cow", keypoints=("nose",))],
    [
        Annotation(1, 1, 1, POINTS, None, Status.PROPOSED, confidence=0.4),
        Annotation(2, 1, 1, POINTS, None, Status.ACCEPTED),
        Annotation(3, 3, 2, POINTS, None, Status.ACCEPTED, confidence=0.2),
    ],
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("lion", [1, 2]),
        ("name:*.jpg", [1, 3, 4]),
        ("name:zoo/*", [1, 2]),
        ('name:"Lion 1"', [1]),
        ("-name:*.jpg", [2]),
        ("status:none", [2, 4]),
        ("status:proposed", [1]),
        ("status:partly", [1]),
        ("status:accepted", [3]),
        ("score:<0.6", [1]),
        ("score:>=0.4", [1]),
        ("score:>0.4", []),
        ("score:0.4", [1]),
        ("score:=.402", [1]),
        ("score:=0.41", []),
        ("SCORE:<0.6 Status:PROPOSED", [1]),
        ("NAME:LION*", [1, 2]),
        ("name:lion?.*", [2]),
        ("--lion", [1, 2]),
        ("-category:cat -status:none", [3]),
        ('-"lion 1"', [2, 3, 4]),
        ('"lion 1', [1]),
        ("gr\u00fcn", [4]),
        ("STRASSE", [4]),
        ("-", []),
        ("category:cat", [1]),
        ("category:cow status:accepted name:*.jpg", [3]),
    ],
)
def test_what_is_found(text, found):
    query = parse_query(text)
    images = PROJECT.sorted_images()
    assert [image.id for image in images if query.matches(PROJECT, image)] == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("score:often", "score:<0.6"),
        ("status:done", "accepted"),
        ("name:", "name:*.jpg"),
        ("NAME:", "name:*.jpg"),
        ("-score:", "score:<0.6"),
        ("score:<0.6.7", "score:<0.6"),
        ("size:3", "category:"),
    ],
)
def test_what_cannot_be_understood_is_said_with_an_example(text, words):
    with pytest.raises(ProjectError) as refused:
        parse_query(text)
    assert words in str(refused.value)


def test_what_is_offered_is_understood():
    for word in WORDS:
        parse_query(word + "cat" if word.endswith(":") else word)


def test_a_value_with_spaces_is_quoted():
    category = PROJECT.categories[1]
    query = parse_query(f"category:{quoted(category.name)}")
    assert [i.id for i in PROJECT.sorted_images() if query.matches(PROJECT, i)] == [1]
    assert quoted("cow") == "cow"


def outcome(text):
    """Return whether the first image matches, or the refusal's sentence."""
    try:
        return parse_query(text).matches(PROJECT, PROJECT.images[1])
    except ProjectError as error:
        return str(error)


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused_in_a_sentence(text):
    found = outcome(text)
    assert isinstance(found, bool) or found.endswith(".")


@given(st.integers(0, 3000))
def test_any_number_of_minus_signs_is_counted(count):
    query = parse_query("-" * count + "lion")
    assert query.matches(PROJECT, PROJECT.images[1]) == (count % 2 == 0)


words = st.sampled_from([*(w for w in WORDS if not w.endswith(":")), "lion", "category:cow"])


@given(st.lists(words, max_size=4), words)
def test_every_word_narrows_and_a_minus_turns_it_round(others, word):
    def found(*parts):
        query = parse_query(" ".join(parts))
        return {i.id for i in PROJECT.sorted_images() if query.matches(PROJECT, i)}

    base, narrowed = found(*others), found(*others, word)
    assert narrowed <= base
    assert found(*others, f"-{word}") == base - narrowed
