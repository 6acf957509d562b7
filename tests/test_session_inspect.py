"""Which object is looked for, and the jobs' items; the engine itself is a stand-in."""

from dataclasses import replace

import pytest

from fmstudio.project.edits import AddAnnotation, SetStatus
from fmstudio.project.model import Status
from fmstudio.session_inspect import pair_question


@pytest.fixture
def session(make_session):
    return make_session()


def ids(session):
    project = session.project
    (annotation,) = project.annotations.values()
    other = next(i for i in sorted(project.images) if i != annotation.image_id)
    return annotation, other


def test_the_accepted_annotation_is_looked_for(session):
    annotation, other = ids(session)
    found = pair_question(session.project, annotation.image_id, other, annotation.category_id)
    assert found.mark.id == annotation.id
    assert found.mark.mask is annotation.mask
    assert found.skeleton == session.project.categories[annotation.category_id].skeleton
    assert (found.s.id, found.t.id) == (annotation.image_id, other)
    # The same question again, so that nothing is computed anew.
    again = pair_question(session.project, annotation.image_id, other, annotation.category_id)
    assert again == found


def test_another_is_looked_for_once_it_is_selected(session):
    annotation, other = ids(session)
    twin = replace(annotation, id=0, mask=None)
    (added,) = session.perform(AddAnnotation(twin)).annotations.added
    here = (session.project, annotation.image_id, other, annotation.category_id)
    assert pair_question(*here).mark.id == annotation.id
    assert pair_question(*here, added).mark.id == added
    assert pair_question(*here, 999).mark.id == annotation.id


def test_without_anything_accepted_the_whole_image_is(session):
    annotation, other = ids(session)
    session.perform(SetStatus((annotation.id,), Status.REJECTED))
    found = pair_question(session.project, annotation.image_id, other, annotation.category_id)
    assert found.mark.keypoints is None
    assert found.mark.mask is None


def test_one_image_is_no_pair(session):
    annotation, other = ids(session)
    assert pair_question(session.project, other, other, None) is None
    assert pair_question(session.project, None, other, None) is None
    assert pair_question(session.project, annotation.image_id, None, None) is None
