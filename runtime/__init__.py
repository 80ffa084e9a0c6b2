"""The runtime: buffers, the call path, the JIT and its caches. It knows no dialect and no pass."""
