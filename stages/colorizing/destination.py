"""Where painted photographs go: a path and a format for each, and nothing overwritten unasked."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from stages.colorizing.names import printable, real_path
from stages.photographs.refusal import Refused

KEEP = "keep"
# As users name them: Pillow's name, and the suffixes; the first is given, the others are left as they are.
FORMATS = {
    "png": ("PNG", (".png",)),
    "jpg": ("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "webp": ("WEBP", (".webp",)),
    "tiff": ("TIFF", (".tiff", ".tif")),
}
LONGEST_SIDE = {"jpg": 65_535, "webp": 16_383}


@dataclass
class Destination:
    """What `--out`, `--format` and `--force` ask for.

    Args:
        place: the folder, or the file for the only photograph.
        format: a key of FORMATS, or KEEP: that of the photograph where it is one of them, else PNG.
        force: replace what is there.
        sources: the real paths of the photographs given, which are never overwritten.
    """

    place: Path
    format: str
    force: bool
    sources: set[str]
    made_of: dict[Path, Path] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.place.parent if is_file(self.place) else self.place

    def choose(self, photograph: Path, opened: Image.Image, compared: bool) -> list[tuple[Path, str]]:
        """The path and the format, a key of FORMATS, of a painted photograph, and of its comparison if there is one.

        Raises:
            Refused: when such a file must not be written, or could not hold so many pixels.
        """
        format = self._format(opened)
        longest = LONGEST_SIDE.get(format)
        if longest and max(opened.size) > longest:
            raise Refused(f"a {FORMATS[format][0]} has at most {longest:,} pixels a side: use --format png")
        paths = [self._path(photograph, format)]
        if compared:
            paths.append(paths[0].with_stem(f"{paths[0].stem}-compared"))
        for path in paths:
            self._refuse(path)
        return [(path, format) for path in paths]

    def _format(self, opened: Image.Image) -> str:
        if self.format != KEEP:
            return self.format
        kept = {pillow: format for format, (pillow, _) in FORMATS.items()} | {"MPO": "jpg"}
        return kept.get(opened.format, "png")

    def _path(self, photograph: Path, format: str) -> Path:
        if is_file(self.place):
            return self.place
        suffixes = FORMATS[format][1]
        kept = self.format == KEEP and photograph.suffix.lower() in suffixes
        return self.place / f"{photograph.stem}{photograph.suffix if kept else suffixes[0]}"

    def _refuse(self, path: Path) -> None:
        if path in self.made_of:
            other = printable(self.made_of[path])
            raise Refused(f"{printable(path)} was just made of {other}: rename one, or use another --out for it")
        if real_path(path) in self.sources:
            raise Refused(f"{printable(path)} is one of the photographs given, and would be lost: use another --out")
        if os.path.isdir(path):
            raise Refused(f"{printable(path)} is a folder: use another --out")
        if os.path.lexists(path) and not self.force:
            raise Refused(f"{printable(path)} is there already: --force replaces it")


def format_of(path: Path) -> str | None:
    """The format of FORMATS that a file's suffix names."""
    return next((format for format, (_, suffixes) in FORMATS.items() if path.suffix.lower() in suffixes), None)


def is_file(place: Path) -> bool:
    """Whether `--out` names a file: it has a format's suffix, and no folder of that name is there."""
    return format_of(place) is not None and not place.is_dir()
