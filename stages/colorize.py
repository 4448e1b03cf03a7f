"""Paint photographs with a trained network: any size, black and white or not.

The network looks at a photograph's lightness alone, brought to the size of the images that it was trained on, and
what it paints is enlarged onto the full-size lightness. Writes DIR/<name>.png for each photograph.
"""

import argparse
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

from PIL import Image

from stages.photographs.decoding import open_photograph
from stages.runtime.entry_point import run
from stages.runtime.errors import StageError
from stages.runtime.files import whole_file
from stages.runtime.schema import Objective

ENCODERS = Path("data/encoders")
# Zhang 2016, section 2.3: between the mode (vivid, patchy) and the mean (calm, greyish).
TEMPERATURE = 0.38


def main() -> None:
    arguments = _parse()
    painter = _open_painter(arguments.encoder, arguments.temperature)
    _make_folder(arguments.out)
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large photographs are what people have
    sources = {photograph.resolve() for photograph in arguments.photographs}
    written: dict[Path, Path] = {}
    problems = []
    for photograph in arguments.photographs:
        target = arguments.out / f"{photograph.stem}.png"
        try:
            _refuse(target, sources, written, arguments.force)
            size = _paint(photograph, target, painter)
        except ValueError as error:
            problems.append(f"{photograph}: {error}")
        else:
            written[target] = photograph
            print(f"{photograph} -> {target} ({size[0]} x {size[1]})", flush=True)
    if problems:
        raise StageError(
            f"{len(problems)} of {len(arguments.photographs)} photographs could not be painted:\n  "
            + "\n  ".join(problems)
        )


def _parse() -> argparse.Namespace:
    description, details = __doc__.split("\n\n")
    parser = argparse.ArgumentParser(prog="python -m stages.colorize", description=description, epilog=details)
    parser.add_argument("photographs", nargs="+", type=Path, metavar="PHOTO", help="an image file of any kind and size")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where <name>.png goes; made if missing")
    parser.add_argument(
        "--encoder",
        type=Path,
        default=ENCODERS / "colorization",
        metavar="FOLDER",
        help="a trained network that paints (default: %(default)s)",
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


def _open_painter(folder: Path, temperature: float) -> Callable[[Image.Image], Image.Image]:
    if not folder.is_dir():
        trained = ", ".join(str(path) for path in map(ENCODERS.joinpath, get_args(Objective)) if path.is_dir())
        raise StageError(
            f"--encoder {folder} is not a folder; "
            + (f"there are {trained}" if trained else "run from the project's root; `dvc repro` trains encoders")
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


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError(f"--out {folder} cannot be made: {error.strerror}") from None


def _refuse(target: Path, sources: set[Path], written: dict[Path, Path], force: bool) -> None:
    if target in written:
        raise ValueError(f"{target} was just made of {written[target]}: rename one, or use another --out for it")
    if target.resolve() in sources:
        raise ValueError(f"{target} is one of the photographs given, and would be lost: use another --out")
    if target.is_dir():
        raise ValueError(f"{target} is a folder: use another --out")
    if target.exists() and not force:
        raise ValueError(f"{target} is there already: --force replaces it")


def _paint(photograph: Path, target: Path, paint: Callable[[Image.Image], Image.Image]) -> tuple[int, int]:
    """Write `target`; return its width and height."""
    try:
        content = photograph.read_bytes()
    except IsADirectoryError:
        raise ValueError(f"a folder; name the files in it: {photograph}/*.jpg") from None
    except OSError as error:
        raise ValueError(error.strerror) from None
    painted = paint(open_photograph(content))
    try:
        with whole_file(target) as part:
            painted.save(part, "PNG")
    except OSError as error:
        raise StageError(f"{target} cannot be written: {error.strerror or error}") from None
    return painted.size


if __name__ == "__main__":
    run(main)
