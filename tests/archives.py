"""Food-101's layout in each of its forms, for the tests of what reads them."""

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath


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


def zipped(files: dict[str, bytes], top: str = "food-101/", compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A .zip of the files under `top`, in order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(top + name), content, compression)
    return buffer.getvalue()


def unpack(files: dict[str, bytes], folder: Path) -> Path:
    """The files in a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_shards(
    files: dict[str, bytes], folder: Path, count: int = 2, paths: bool = True, described: bool = True
) -> Path:
    """The photographs that the lists in meta/ name as Hugging Face's `datasets` writes them: data/<split>-*.parquet.

    Args:
        count: shards of each split.
        paths: whether a photograph's file name is there.
        described: whether the names of the classes are there, in the schema's metadata.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    classes = files["meta/classes.txt"].decode().split()
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    schema = pa.schema({"image": image, "label": pa.int64()})
    if described:
        features = {"image": {"_type": "Image"}, "label": {"names": classes, "_type": "ClassLabel"}}
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    folder.mkdir(parents=True, exist_ok=True)
    for split, name in {"train": "train.txt", "validation": "test.txt"}.items():
        images = files[f"meta/{name}"].decode().split()
        rows = [
            {
                "image": {
                    "bytes": files[f"images/{image}.jpg"],
                    "path": f"{PurePosixPath(image).name}.jpg" if paths else None,
                },
                "label": classes.index(image.split("/")[0]),
            }
            for image in images
        ]
        for number in range(count):
            table = pa.Table.from_pylist(rows[number::count], schema)
            path = folder / f"{split}-{number:05d}-of-{count:05d}.parquet"
            pq.write_table(table, path, row_group_size=3)
    return folder
