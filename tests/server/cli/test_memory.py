"""What a serving process does with memory that threads have freed."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

THREADS, PIECES, PIECE_BYTES = 16, 500, 16_000
# Threads that stay, as those of a server do, and have each met a push of 8 MB, one after the other.
PROGRAM = f"""
import sys, threading
from server.cli.office_app import share_freed_memory

def resident_kib():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])

if sys.argv[1] == "shared":
    assert share_freed_memory()
before, kept, turn, gate = resident_kib(), [], threading.Lock(), threading.Barrier({THREADS + 1})

def meet_a_push():
    gate.wait()
    with turn:
        push = [bytes({PIECE_BYTES}) for _ in range({PIECES})]
        kept.append(bytes(600))
        del push
    gate.wait()

for _ in range({THREADS}):
    threading.Thread(target=meet_a_push, daemon=True).start()
gate.wait()
gate.wait()
print(resident_kib() - before)
"""


def grown_kib(way: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")
def test_sixteen_threads_keep_no_more_than_two_of_them_would():
    """Measured: 8,000 KiB against 20,000."""
    shared = grown_kib("shared")
    assert shared < 2 * PIECES * PIECE_BYTES / 1024
    assert shared < grown_kib("each its own") * 0.7
