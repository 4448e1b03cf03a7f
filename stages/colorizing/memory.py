"""How much memory a photograph needs before it is painted, and how much there is."""

from collections.abc import Callable
from pathlib import Path

import psutil
from PIL import Image

from stages.photographs.refusal import Refused

# From here on, pixels wait on the disk between decoding and painting: both at once would take 8 bytes each.
SPOOLED_PIXELS = 64 << 20
PAINTED = 4  # bytes that Pillow keeps of an RGB pixel
NOTED = 3e9  # bytes from which a line says what a photograph takes
BESIDES = 128 << 20  # bands, and what is read of the file
_CGROUP = Path("/sys/fs/cgroup")  # of a container


def require_memory(image: Image.Image, tell: Callable[[str], None]) -> None:
    """Raise Refused if an opened, not yet decoded image would not fit into the free memory.

    Files that a person names have no limit of pixels; this one keeps the system from ending the whole batch. `tell` is
    given a line for one that fits and takes more than NOTED bytes.
    """
    width, height = image.size
    needed, free = needed_bytes(image), free_memory()
    if needed > free:
        raise Refused(
            f"its {width:,} x {height:,} pixels need {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free: "
            "scale it down first, or close other programs"
        )
    if needed > NOTED:
        progressive = ", as a progressive JPEG is held whole, in coefficients" if image.info.get("progressive") else ""
        tell(f"its {width:,} x {height:,} pixels take {needed / 1e9:.1f} GB of memory{progressive}")


def needed_bytes(image: Image.Image) -> int:
    pixels = image.width * image.height
    decoded = pixels * (2 if image.mode.startswith("I;16") else 1 if image.mode in ("1", "L", "P") else 4)
    if image.info.get("progressive"):  # libjpeg keeps 2 bytes a coefficient, of all passes, until the last
        steps = [(across, down) for _, across, down, _ in image.layer]
        most = max(across for across, _ in steps) * max(down for _, down in steps)
        decoded += 2 * pixels * sum(across * down for across, down in steps) // most
    painted = PAINTED * pixels
    return BESIDES + (max(decoded, painted) if pixels >= SPOOLED_PIXELS else decoded + painted)


def free_memory() -> int:
    """Bytes that can be had without ending another process: of the machine, or of the container if it allows less."""
    free = psutil.virtual_memory().available + psutil.swap_memory().free
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        return min(free, limit - int(used["anon"]))
    except (OSError, ValueError, KeyError):  # "max", or no container
        return free
