"""`tetractys.config`: flags, from `TETRACTYS_FLAGS="floatX=float32,mode=FAST_RUN"` or by
assignment.

Every flag is a row of `_FLAGS`; reading one is a plain attribute access. Flags with a dot live in a
section: `config.traceback.limit`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tetractys.runtime import threads

MODES = ("Mode", "DebugMode", "FAST_RUN", "NanGuardMode", "FAST_COMPILE", "DEBUG_MODE")
"""Names that `config.mode` and `function(mode=...)` take."""

LINKERS = ("cvm", "c|py", "py", "c", "c|py_nogc", "vm", "vm_nogc", "cvm_nogc")
"""Accepted for Theano's sake; there is one way to run a function here."""


class ConfigError(Exception):
    """A flag that cannot be set so."""


class _Flag:
    """A flag: its default, how a value is converted, whether it is fixed at start-up."""

    __slots__ = ("convert", "default", "read_only")

    def __init__(
        self, default: Any, convert: Callable[[str, Any], Any], read_only: bool = False
    ) -> None:
        self.default = default
        self.convert = convert
        self.read_only = read_only


def _enum(*options: str) -> Callable[[str, Any], Any]:
    def convert(name: str, value: Any) -> Any:
        if value not in options:
            raise ValueError(
                f'Invalid value ("{value}") for configuration variable "{name}". Valid options '
                f"are {options}"
            )
        return value

    return convert


def _bool(name: str, value: Any) -> bool:
    if value in (True, 1, "1", "True", "true"):
        return True
    if value in (False, 0, "0", "False", "false"):
        return False
    raise ValueError(f'Invalid value ({value}) for configuration variable "{name}".', value)


def _int(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'Invalid value ("{value}") for configuration variable "{name}"; expected an integer.'
        ) from error


def _threads(name: str, value: Any) -> int:
    """Tells the runtime as well: the number counts from the next call of any function."""
    if isinstance(value, str):
        value = _int(name, value)
    number = threads.check(value, f"config.{name}")
    threads.set_process(number)
    return number


def _str(name: str, value: Any) -> str:
    return str(value)


def _mode(name: str, value: Any) -> Any:
    if isinstance(value, str) and value not in MODES:
        names = ", ".join(repr(mode) for mode in MODES)
        raise ValueError(f"Expected one of those string {names} or an instance of Mode.")
    return value


def _float_x(name: str, value: Any) -> str:
    if value == "float16":
        raise ValueError(
            'Invalid value ("float16") for configuration variable "floatX". Valid options are '
            "('float64', 'float32')"
        )
    return _enum("float64", "float32")(name, value)


_FLAGS: dict[str, _Flag] = {
    "floatX": _Flag("float64", _float_x),
    "cast_policy": _Flag("custom", _enum("custom")),
    "int_division": _Flag("int", _enum("int", "raise", "floatX")),
    "device": _Flag("cpu", _enum("cpu", "cuda"), read_only=True),
    "force_device": _Flag(False, _bool),
    "mode": _Flag("Mode", _mode),
    "linker": _Flag("vm", _enum(*LINKERS)),
    "optimizer": _Flag(
        "o4", _enum("o4", "o3", "o2", "o1", "unsafe", "fast_run", "fast_compile", "merge", "None")
    ),
    "on_unused_input": _Flag("raise", _enum("raise", "warn", "ignore")),
    "on_opt_error": _Flag("warn", _enum("warn", "raise", "pdb", "ignore")),
    "on_shape_error": _Flag("warn", _enum("warn", "raise")),
    "compute_test_value": _Flag("off", _enum("off", "ignore", "warn", "raise", "pdb")),
    "print_test_value": _Flag(False, _bool),
    "exception_verbosity": _Flag("low", _enum("low", "high")),
    "warn_float64": _Flag("ignore", _enum("ignore", "warn", "raise", "pdb")),
    "allow_gc": _Flag(True, _bool),
    "profile": _Flag(False, _bool),
    "profile_memory": _Flag(False, _bool),
    "threads": _Flag(0, _threads),
    "openmp": _Flag(False, _bool),
    "openmp_elemwise_minsize": _Flag(200000, _int),
    "reoptimize_unpickled_function": _Flag(False, _bool),
    "unpickle_function": _Flag(True, _bool),
    "deterministic": _Flag("default", _enum("default", "more")),
    "base_compiledir": _Flag("", _str),
    "compiledir": _Flag("", _str),
    "optimizer_excluding": _Flag("", _str),
    "optimizer_including": _Flag("", _str),
    "traceback.limit": _Flag(8, _int),
    "warn.round": _Flag(False, _bool),
    "warn.sum_div_dimshuffle_bug": _Flag(False, _bool),
    "warn.subtensor_merge_bug": _Flag(False, _bool),
    "scan.allow_gc": _Flag(False, _bool),
    "NanGuardMode.nan_is_error": _Flag(True, _bool),
    "NanGuardMode.inf_is_error": _Flag(True, _bool),
    "NanGuardMode.big_is_error": _Flag(True, _bool),
}
_SECTIONS = {name.partition(".")[0] for name in _FLAGS if "." in name}


class Config:
    """The flags as attributes. Assignment checks; an unknown name raises AttributeError."""

    floatX: str
    mode: Any
    _prefix: str

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # the flags above

    def __init__(self, prefix: str = "") -> None:
        self.__dict__["_prefix"] = prefix
        for name, flag in _FLAGS.items():
            section, _, rest = name.rpartition(".")
            if section == prefix.rstrip("."):
                self.__dict__[rest] = flag.default
        if not prefix:
            for section in _SECTIONS:
                self.__dict__[section] = Config(section + ".")

    def __setattr__(self, name: str, value: Any) -> None:
        full = self._prefix + name
        flag = _FLAGS.get(full)
        if flag is None:
            raise AttributeError(
                f"'Config' object has no attribute {name!r}: found no flag {full!r}; "
                f"expected one of {', '.join(sorted(_FLAGS))}"
            )
        if flag.read_only:
            raise ConfigError(
                "Can't change the value of this config parameter after initialization!"
            )
        self.__dict__[name] = flag.convert(full, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"config.{name}: found a deletion; expected an assignment")

    def __str__(self) -> str:
        return "\n".join(f"{name} = {get_flag(name)!r}" for name in sorted(_FLAGS))

    def change_flags(self, **flags: Any) -> Any:
        """`change_flags` below."""
        return change_flags(**flags)


def _holder(name: str) -> tuple[Config, str]:
    section, _, rest = name.rpartition(".")
    if name not in _FLAGS:
        raise AttributeError(f"'Config' object has no attribute {name!r}")
    return (getattr(config, section) if section else config), rest


def get_flag(name: str) -> Any:
    """The value of a flag by its full name, `traceback.limit`."""
    holder, rest = _holder(name)
    return getattr(holder, rest)


def set_flag(name: str, value: Any) -> None:
    """Sets a flag by its full name."""
    holder, rest = _holder(name)
    setattr(holder, rest, value)


@contextmanager
def change_flags(_args: dict[str, Any] | tuple[()] = (), **flags: Any) -> Iterator[None]:
    """Flags changed inside a `with` block, or inside a function it decorates.

    A dot in a flag's name is written as two underscores, or the flags are given as a dict.
    """
    wanted = {**dict(_args), **{name.replace("__", "."): value for name, value in flags.items()}}
    old = {name: get_flag(name) for name in wanted}
    try:
        for name, value in wanted.items():
            set_flag(name, value)
        yield
    finally:
        for name, value in old.items():
            set_flag(name, value)


def parse_flags(text: str) -> dict[str, str]:
    """The pairs of `"a=b,c=d"`; a later one wins. Entries without `=` are ignored with a
    warning."""
    result: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = entry.partition("=")
        if not equals:
            warnings.warn(f"Config key '{name}' has no value, ignoring it", stacklevel=2)
            continue
        result[name.strip()] = value.strip()
    return result


def _apply_environment() -> None:
    for name, value in parse_flags(os.environ.get("TETRACTYS_FLAGS", "")).items():
        if name not in _FLAGS:
            warnings.warn(f"Tetractys does not recognise this flag: {name}", stacklevel=2)
            continue
        holder, rest = _holder(name)
        holder.__dict__[rest] = _FLAGS[name].convert(name, value)


config = Config()
_apply_environment()
