"""Stage `download`: bring Food-101 in any of its forms, or draw the built-in sample in its layout."""

from pathlib import Path

from stages.food101.archive import ARCHIVE, RAW, find_archive
from stages.runtime.entry_point import run
from stages.runtime.files import whole_folder
from stages.runtime.params import load_params
from stages.source.fetch import fetch_dataset
from stages.source.sample import draw_sample


def main() -> None:
    params = load_params()
    if params.data.source == "sample":
        with whole_folder(RAW) as folder:
            draw_sample(folder / Path(ARCHIVE).name, params.data.sample_seed)
        return
    md5 = fetch_dataset([params.data.url, *params.data.mirrors], params.data.md5, RAW)
    if params.data.md5 is None:
        print(f"{find_archive()}: not verified, since data.md5 is null. Its MD5 for params.yaml: {md5}")
    else:
        print(f"{find_archive()}: MD5 {md5}, verified")


if __name__ == "__main__":
    run(main)
