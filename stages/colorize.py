"""Paint photographs with a trained network: any size, black and white or not.

The network looks at a photograph's lightness alone, brought to the size of the images that it was trained on, and
what it paints is enlarged onto the full-size lightness. docs/photographs.md has the formats that are read.
"""

import argparse
import signal
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

from PIL import Image

from stages.colorizing.bands import Bands
from stages.colorizing.batch import list_photographs, paint_photographs
from stages.colorizing.destination import FORMATS, KEEP, Destination, format_of, is_file
from stages.colorizing.names import printable, real_path
from stages.runtime.entry_point import run
from stages.runtime.errors import StageError
from stages.runtime.schema import Objective

PAINTER = Path("pretrained/painter")  # comes with the repository
ENCODERS = Path("data/encoders")
# Zhang 2016, section 2.3: between the mode (vivid, patchy) and the mean (calm, greyish).
TEMPERATURE = 0.38


def main() -> None:
    arguments = _parse()
    warnings.filterwarnings("ignore", module=r"PIL\.")  # about metadata; what matters is told
    photographs, empty = list_photographs(arguments.photographs)
    destination = _destination(arguments, photographs)
    paint = _open_painter(arguments.encoder, arguments.temperature)
    _make_folder(destination.folder)
    problems = paint_photographs(photographs, destination, paint, arguments.keep_metadata, arguments.compare) + empty
    if problems:
        raise StageError(
            f"{len(problems)} of {len(photographs) + len(empty)} photographs could not be painted:\n  "
            + "\n  ".join(problems)
        )


def _parse() -> argparse.Namespace:
    description, details = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(prog="python -m stages.colorize", description=description, epilog=details)
    parser.add_argument(
        "photographs",
        nargs="+",
        type=Path,
        metavar="PHOTO",
        help="an image file of any size, or a folder, for the photographs in it",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="where <name>.png goes, made if missing; for one photograph also a file, whose suffix is the format",
    )
    parser.add_argument(
        "--format",
        choices=[*FORMATS, KEEP],
        help=f"of what is written; {KEEP}: the photograph's own if it is one of them (default: png)",
    )
    parser.add_argument(
        "--compare", action="store_true", help="also write lightness, painted and original side by side"
    )
    parser.add_argument(
        "--keep-metadata", action="store_true", help="keep when, where and with what it was taken (EXIF)"
    )
    parser.add_argument(
        "--encoder",
        type=Path,
        default=PAINTER,
        metavar="FOLDER",
        help=f"a trained network that paints, e.g. {ENCODERS / 'colorization'} (default: %(default)s, trained on food)",
    )
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=TEMPERATURE,
        metavar="T",
        help="above 0, up to 1: lower is more vivid, 1 is the mean; for networks that classify colours, others "
        "ignore it (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="replace what is already in DIR")
    return parser.parse_args()


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0, up to 1; got '{text}'")
    return value


def _open_painter(folder: Path, temperature: float) -> Callable[[Bands], Image.Image]:
    if not folder.is_dir():
        painters = [PAINTER, *map(ENCODERS.joinpath, get_args(Objective))]
        trained = ", ".join(str(path) for path in painters if path.is_dir())
        raise StageError(
            f"--encoder {folder} is not a folder; "
            + (f"there are {trained}" if trained else "run from the project's root")
        )
    # Imported here: --help and a wrong option do not wait for PyTorch.
    from stages.colorizing.full_resolution import paint_photograph
    from stages.compute.device import device
    from stages.formats.encoder import load_encoder

    model = load_encoder(folder).to(device())
    if not model.predicts_ab:
        raise StageError(
            f"--encoder {folder} does not paint: it was not trained to make colours of lightness. Those of "
            f"pretext.objectives do: {', '.join(get_args(Objective))}"
        )
    return partial(
        paint_photograph,
        paint=lambda lab: model.predict_ab(lab, temperature),
        image_size=model.image_size,
        stride=model.latent_stride,
        device=device(),
    )


def _destination(arguments: argparse.Namespace, photographs: list[Path]) -> Destination:
    place, format = arguments.out, arguments.format
    if is_file(place):
        if len(photographs) > 1:
            raise StageError(
                f"--out {printable(place)} names a file, and there are {len(photographs)} photographs: name a folder"
            )
        if format not in (None, format_of(place)):
            raise StageError(f"--out {printable(place)} does not end as --format {format} does: leave --format out")
        format = format_of(place)
    return Destination(place, format or "png", arguments.force, {real_path(path) for path in photographs})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError(f"--out {printable(folder)} cannot be made: {error.strerror}") from None


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head -1` ends it without a word
    run(main)
