"""Kinds of processors by name: the widths that one schedule is made for, and whose code can be
looked at (`tt-opt --machine`, `jit.asm`) on a machine of any other kind.
"""

from __future__ import annotations

from tetractys.runtime.jit import Host

_LINUX = "unknown-linux-gnu"

MACHINES: dict[str, Host] = {
    "avx512": Host(f"x86_64-{_LINUX}", "x86-64-v4", "+fma", 64, ""),
    "avx2": Host(f"x86_64-{_LINUX}", "x86-64-v3", "+fma", 32, ""),
    "sse2": Host(f"x86_64-{_LINUX}", "x86-64", "", 16, ""),
    "aarch64": Host(f"aarch64-{_LINUX}", "generic", "", 16, ""),
}
