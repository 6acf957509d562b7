import pytest

from fmstudio.errors import WeightsError
from fmstudio.features.registry import EXTRACTORS, make_extractor, parse_options
from fmstudio.features.vit import ViTOptions
from fmstudio.features.weights import HUB, PACKAGED


def test_every_listed_model_can_be_made_and_no_other() -> None:
    assert set(EXTRACTORS) == {*PACKAGED, *HUB, "vit"}


@pytest.mark.parametrize("name", PACKAGED)
def test_the_default_networks_are_made_by_name(name: str) -> None:
    spec = make_extractor(name).spec
    assert spec.name == name
    assert spec.licence == "Apache-2.0"
    assert spec.key.startswith(f"{name}:{PACKAGED[name].sha256[:12]}:")


@pytest.mark.parametrize("name", ["", "efficientnet", "resnet50"])
def test_a_wrong_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(WeightsError, match="the known ones are efficientnet-lite0") as caught:
        make_extractor(name)
    assert all(known in str(caught.value) for known in EXTRACTORS)


def test_layers_of_the_default_networks_can_be_chosen() -> None:
    plain, deep = (make_extractor(f"efficientnet-lite0{rest}") for rest in ("", ":layers=10+-1"))
    assert deep.spec.width == 112 + 320
    assert plain.spec.width == 112 + 192 + 192
    assert plain.spec.key != deep.spec.key


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("layers=99", "does not exist in a network of 16"), ("facet=key", "no option but layers=")],
)
def test_wrong_options_of_the_default_networks_are_answered(option: str, sentence: str) -> None:
    with pytest.raises(WeightsError, match=sentence):
        make_extractor(f"efficientnet-lite0:{option}")


def test_options_are_parsed() -> None:
    assert parse_options([]) == ViTOptions((-1,), "token")
    assert parse_options(["layers=9+11", "facet=key"]) == ViTOptions((9, 11), "key")
    assert parse_options(["layers=3,-1"]) == ViTOptions((3, -1), "token")


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("layers=x", "layers are whole numbers"),
        ("layers=", "layers are whole numbers"),
        ("facet=heads", "a facet is one of"),
        ("size=3", "is not an option"),
        ("facet=key:facet=key", "at most once"),
        ("layers=12", "does not exist in a network of 12 layers"),
    ],
)
def test_wrong_options_are_answered_in_a_sentence(option: str, sentence: str) -> None:
    with pytest.raises(WeightsError, match=sentence) as caught:
        make_extractor(f"dinov2-s:{option}")
    assert f'"dinov2-s:{option}" cannot be built' in str(caught.value)


def test_a_transformer_needs_a_name() -> None:
    with pytest.raises(WeightsError, match="write vit:<timm name>"):
        make_extractor("vit")
