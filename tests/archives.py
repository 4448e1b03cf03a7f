"""Archives in Food-101's layout, for the tests of what reads them."""

import io
import tarfile
from collections.abc import Iterable


def packed(files: dict[str, bytes], top: str = "food-101/", members: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """A gzipped tar: first the `members` as they are (their content is `x`s), then the files under `top`, in order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        for name, content in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
