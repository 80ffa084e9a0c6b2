"""Command-line tools: `tt-opt`, benchmarks, the build backend. Nothing in the library imports this
package.
"""
