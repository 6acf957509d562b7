"""Write what a bundle is made of: a CycloneDX list, and all licences in one text.

`fmstudio.spec` puts both into the bundle, of exactly what it holds. By itself it writes them of
what an installation of fmstudio holds, its development tools left out::

    python packaging/sbom.py --out FOLDER
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name
from parts import Part, part_of, python_part
from requirement_tree import requirement_tree

SBOM, LICENCES = "sbom.cdx.json", "THIRD-PARTY-LICENCES.txt"
_RULE = "=" * 100


def write(parts: Sequence[Part], folder: Path) -> tuple[Path, Path]:
    """Write both files of some parts, the program itself first, and return where they are.

    Raises
    ------
    ValueError
        If a part states no licence and `parts.STATED` does not know it either.
    """
    unknown = sorted(part.name for part in parts if not part.licence)
    if unknown:
        raise ValueError(
            f"The licence of {', '.join(unknown)} is not known: look for it, and state it in "
            "packaging/parts.py."
        )
    folder.mkdir(parents=True, exist_ok=True)
    bill, licences = folder / SBOM, folder / LICENCES
    bill.write_text(bill_of(parts), encoding="utf-8")
    licences.write_text(licences_of(parts), encoding="utf-8")
    return bill, licences


def bill_of(parts: Sequence[Part]) -> str:
    """Return the CycloneDX list of a program, the first part, and the others in it, as JSON."""
    components: dict[str, Component] = {
        canonicalize_name(part.name): _component(part) for part in parts
    }
    program, *others = components.values()
    program.type = ComponentType.APPLICATION
    bom = Bom(components=others)
    bom.metadata.component = program
    bom.metadata.tools.components.add(
        Component(
            name="cyclonedx-python-lib",
            version=version("cyclonedx-python-lib"),
            type=ComponentType.LIBRARY,
        )
    )
    for part in parts:
        needed = [components[name] for name in sorted(part.requires) if name in components]
        bom.register_dependency(components[canonicalize_name(part.name)], needed)
    # What no distribution asks for, the interpreter and the system's libraries, the program needs.
    named = {name for part in parts for name in part.requires}
    rest = [component for name, component in components.items() if name not in named]
    bom.register_dependency(program, [component for component in rest if component is not program])
    return JsonV1Dot6(bom).output_as_string(indent=1)


def licences_of(parts: Sequence[Part]) -> str:
    """Return all parts with their licences, then each licence's text once."""
    numbers: dict[str, int] = {}
    lines = [
        f"{parts[0].name} {parts[0].version} and what it is made of",
        "",
        "The figures in brackets name the texts further down. A part without a figure comes with",
        "no licence text of its own. The libraries of Qt and PySide6 are used under the LGPL: they",
        "are files of their own beside the program and can be replaced by others.",
        "",
    ]
    for part in parts:
        own = [numbers.setdefault(text, len(numbers) + 1) for _, text in part.texts]
        figures = f"  [{', '.join(map(str, sorted(set(own))))}]" if own else ""
        lines.append(f"{part.name} {part.version}: {part.licence}{figures}")
    names: dict[int, list[str]] = {}
    for part in parts:
        for name, text in part.texts:
            names.setdefault(numbers[text], []).append(f"{part.name}: {name}")
    for text, number in numbers.items():
        lines += ["", _RULE, *(f"[{number}] {name}" for name in names[number]), _RULE, "", text]
    return "\n".join(lines) + "\n"


def environment_parts(left_out: Sequence[str] = ()) -> list[Part]:
    """Return fmstudio, the distributions that it needs here, and Python."""
    first, *others = [part_of(dist) for dist in requirement_tree(left_out=left_out)]
    return [first, *others, python_part()]


def _component(part: Part) -> Component:
    """Return a part as CycloneDX has it."""
    return Component(
        name=part.name,
        version=part.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=part.purl,
        licenses=[LicenseFactory().make_from_string(part.licence)],
        purl=PackageURL.from_string(part.purl),
    )


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the two files")
    try:
        for path in write(environment_parts(), parser.parse_args().out):
            print(path)
    except (LookupError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
