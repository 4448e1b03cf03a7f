"""Stage `download`: bring Food-101's archive, or draw the built-in sample in its layout."""

from stages.food101.archive import ARCHIVE
from stages.runtime.entry_point import run
from stages.runtime.params import load_params
from stages.source.fetch import fetch_archive
from stages.source.sample import draw_sample


def main() -> None:
    params = load_params()
    if params.data.source == "sample":
        draw_sample(ARCHIVE, params.data.sample_seed)
        return
    md5 = fetch_archive(params.data.url, params.data.md5, ARCHIVE)
    if params.data.md5 is None:
        print(f"{ARCHIVE}: not verified, since data.md5 is null. Its MD5 for params.yaml: {md5}")
    else:
        print(f"{ARCHIVE}: MD5 {md5}, verified")


if __name__ == "__main__":
    run(main)
