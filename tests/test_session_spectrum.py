"""The jobs of the spectrum over a session, with the real networks."""

import numpy as np
import pytest

from fmstudio.session import CancelToken, MatchSettings
from fmstudio.session_inspect import pair_question
from fmstudio.session_live import Live
from fmstudio.session_spectrum import BandQuestion, band_job, spectrum_job


@pytest.mark.slow
def test_the_spectrum_of_two_cats_and_their_points_by_fewer_functions(make_session):
    session = make_session()
    (annotation,) = session.project.annotations.values()
    other = next(i for i in session.project.images if i != annotation.image_id)
    question = pair_question(session.project, annotation.image_id, other, None)
    live = Live(session.load, session.cache_dir, MatchSettings(fine_side=0, turns=False))
    (spectrum,) = spectrum_job(live, question, CancelToken())
    k = MatchSettings().k
    assert spectrum.C_st.shape == (k, k)
    assert 0 < spectrum.diagonal < 1
    assert spectrum.orthogonality > 0
    (whole,) = band_job(live, BandQuestion(question, k), CancelToken())
    assert whole.shift == pytest.approx(0, abs=0.01)
    (few,) = band_job(live, BandQuestion(question, 4), CancelToken())
    assert few.shift > 0
    assert np.isfinite(few.xy).all()
