"""The changelog, the version and the software centre speak of one release."""

import re
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

from fmstudio import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_newest_dated_release_is_this_version():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    releases = [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", h) for h in headings[1:]]
    assert all(releases), headings
    version, day = releases[0].groups()
    assert version == __version__
    days = [date.fromisoformat(release[2]) for release in releases]
    assert days == sorted(days, reverse=True)
    metainfo = ROOT / "packaging" / "linux" / "org.fmstudio.Studio.metainfo.xml"
    newest = ElementTree.parse(metainfo).getroot().find("releases/release")
    assert (newest.get("version"), newest.get("date")) == (version, day)
