"""The rows as the table of docs/performance.md. `python -m benchmarks.table RESULT.json...` rewrites it there."""

import json
import sys
from pathlib import Path

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def markdown(result: dict) -> str:
    machine = result["machine"]
    where = machine.get("gpu") or f"{machine['processor']}, {machine['cores']} cores"
    limits = machine["limits"]
    bfloat16 = f", {limits['bfloat16_gflops']:g} in bfloat16" if "bfloat16_gflops" in limits else ", no bfloat16"
    lines = [
        f"**{where}**; {machine['threads']} threads, torch {machine['torch']}, {result['repeats']} turns each.",
        f"Matrix products: {limits['float32_gflops']:g} GFLOP/s in float32{bfloat16}; a copy in memory: "
        f"{limits['copy_gb_s']:g} GB/s.",
        "",
        "| what | reach | here (median) | beside the straightforward way (least to most) | of the limit | |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        ratio = ""
        if row["ratio"]:
            middle, low, high = row["ratio"]
            ratio = f"{middle:g}x ({low:g} to {high:g})"
        share = "" if row["share"] is None else f"{100 * row['share']:.0f} % of {row['limit']}"
        shown = f"{row['median']:.3g} {row['unit']}" if row["median"] < 1000 else f"{row['median']:.0f} {row['unit']}"
        lines.append(f"| {row['name']} | {row['reach']} | {shown} | {ratio} | {share} | {row['note']} |")
    return "\n".join(lines)


def main() -> None:
    tables = [markdown(json.loads(Path(path).read_text(encoding="utf-8"))) for path in sys.argv[1:]]
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + "\n\n".join(tables) + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
