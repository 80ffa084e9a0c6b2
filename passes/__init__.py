"""The passes, one file each; `registry` finds them by their command-line name."""
