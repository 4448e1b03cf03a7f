"""What was freed is not given back to the system: counted in page faults, which do not depend on how fast it is."""

import platform
import resource
import subprocess
import sys

import pytest

from tests.project import ROOT

PAGE = resource.getpagesize()
BLOCK, TIMES = 64 << 20, 10
PROGRAM = f"""
import ctypes, resource
from stages.runtime.entry_point import run

def main():
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]

    def use():
        block = libc.malloc(ctypes.c_size_t({BLOCK}))
        ctypes.memset(block, 1, {BLOCK})
        libc.free(block)

    use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range({TIMES}):
        use()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

"""


def faults(call: str) -> int:
    """Page faults of a program that takes and frees a block ten times, after the first time."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM + call], capture_output=True, text=True, cwd=ROOT, check=True)
    return int(ended.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_stage_does_not_give_memory_back_that_it_takes_again():
    kept, given_back = faults("run(main)"), faults("main()")
    assert kept < given_back / 5
