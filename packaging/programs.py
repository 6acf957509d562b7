"""What Windows and macOS are told of the program: executables, version, kinds of documents."""

from dataclasses import dataclass
from typing import Any

from fmstudio import __version__

NAME, ID = "fmstudio", "org.fmstudio.Studio"
PROJECT_TYPE = "org.fmstudio.project"
SUMMARY = "Carry keypoints and masks across image collections"


@dataclass(frozen=True, slots=True)
class Program:
    """One executable of a bundle: its name, and whether it has a console."""

    name: str
    has_console: bool


def programs(platform: str) -> tuple[Program, ...]:
    """Return the executables of a bundle on a platform, as `sys.platform` names it.

    A program of Windows either has a console, which also stands behind the window, or prints
    nothing; so there are two of them. macOS starts the one in the .app without a terminal, and
    in a terminal it prints as any other.
    """
    if platform == "win32":
        return Program(NAME, has_console=True), Program(f"{NAME}-studio", has_console=False)
    if platform == "darwin":
        return (Program(NAME, has_console=False),)
    return (Program(NAME, has_console=True),)


def version_numbers(version: str = __version__) -> tuple[int, int, int, int]:
    """Return a version as Windows counts: four numbers, the last one 0."""
    numbers = [int(digits) for digits in version.split(".")[:3] if digits.isdigit()]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch, 0


def windows_version(program: Program) -> str:
    """Return the version resource of an executable, in the form that PyInstaller reads."""
    numbers = version_numbers()
    words = {
        "CompanyName": "The fmstudio authors",
        "FileDescription": SUMMARY,
        "FileVersion": __version__,
        "InternalName": program.name,
        "LegalCopyright": "Apache-2.0",
        "OriginalFilename": f"{program.name}.exe",
        "ProductName": NAME,
        "ProductVersion": __version__,
    }
    strings = ",\n".join(f"      StringStruct({k!r}, {v!r})" for k, v in words.items())
    return f"""VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0x0,
                    OS=0x40004, fileType=0x1, subtype=0x0, date=(0, 0)),
  kids=[
    StringFileInfo([StringTable('040904B0', [
{strings}])]),
    VarFileInfo([VarStruct('Translation', [1033, 1200])])
  ]
)
"""


def macos_info() -> dict[str, Any]:
    """Return what the .app's Info.plist says beyond PyInstaller's own: what it is and opens."""
    return {
        "CFBundleDisplayName": NAME,
        "CFBundleShortVersionString": __version__,
        "CFBundleVersion": __version__,
        "LSApplicationCategoryType": "public.app-category.graphics-design",
        "NSHighResolutionCapable": True,
        "NSPrincipalClass": "NSApplication",
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "fmstudio project",
                "CFBundleTypeRole": "Editor",
                "CFBundleTypeIconFile": "fmstudio.icns",
                "LSHandlerRank": "Owner",
                "LSItemContentTypes": [PROJECT_TYPE],
            }
        ],
        "UTExportedTypeDeclarations": [
            {
                "UTTypeIdentifier": PROJECT_TYPE,
                "UTTypeDescription": "fmstudio project",
                "UTTypeConformsTo": ["public.database", "public.data"],
                "UTTypeTagSpecification": {
                    "public.filename-extension": [NAME],
                    "public.mime-type": ["application/x-fmstudio-project"],
                },
            }
        ],
    }
