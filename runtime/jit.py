"""LLVM IR text -> object code -> addresses in this process, through llvmlite.

No optimisation pipeline runs: the text is parsed, verified and handed to code generation. Nothing
here may abort the interpreter, so text that LLVM would answer with `exit` or `abort` (inline
assembly) is refused first, and everything else that is wrong comes back as `IRError`. llvmlite (30
ms) is imported at the first use.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from tetractys.runtime.fork_lock import Visitors, fork_lock

try:
    from _blake2 import blake2b  # the module behind hashlib, which takes 3 ms to import OpenSSL
except ImportError:
    from hashlib import blake2b

KERNEL_SYMBOL = "tt_kernel"
SHAPE_SYMBOL = "tt_shape"


class IRError(ValueError):
    """LLVM refuses the text: malformed, ill-typed, or not allowed here."""


class LinkError(RuntimeError):
    """Object code could not be loaded: not an object file, or a symbol is missing."""


class Host(NamedTuple):
    """The machine that code is generated for; part of every cache key."""

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    versions: str

    @property
    def scales(self) -> bool:
        """Whether it has AVX-512's instructions for powers of 2."""
        return self.vector_bytes == 64 and self.triple.startswith("x86_64")


class Code:
    """Loaded object code.  The addresses are valid exactly as long as this object lives."""

    __slots__ = ("__weakref__", "_tracker", "addresses", "identity")

    def __init__(self, tracker: Any, addresses: dict[str, int], identity: str) -> None:
        self._tracker = tracker
        self.addresses = addresses
        self.identity = identity

    @property
    def kernel(self) -> int:
        """Address of `i32 tt_kernel(ptr)`."""
        return self.addresses[KERNEL_SYMBOL]

    @property
    def shape(self) -> int:
        """Address of `i32 tt_shape(ptr)`, or 0."""
        return self.addresses.get(SHAPE_SYMBOL, 0)

    def __getitem__(self, symbol: str) -> int:
        return self.addresses[symbol]


_visitors = Visitors()
"""The threads that are in LLVM, which has locks, as llvmlite has."""
_lock = fork_lock()
_names = itertools.count()
_loaded: weakref.WeakValueDictionary[str, Code] = weakref.WeakValueDictionary()

_DECLARED = r"^\s*declare\b.*@llvm\."
_REFUSED = r'(?:^|[\s(=])asm\s+(?:[a-z]+\s+)*"|^\s*module\s+asm\b'


@cache
def _llvm() -> ModuleType:
    """llvmlite's binding with the native target ready."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
    return llvm


@cache
def host() -> Host:
    """Triple, processor, features and widest vector of this machine."""
    import llvmlite

    llvm = _llvm()
    features = llvm.get_host_cpu_features()
    wide = 64 if features.get("avx512f") else 32 if features.get("avx") else 16
    version = ".".join(map(str, llvm.llvm_version_info))
    return Host(
        triple=llvm.get_process_triple(),
        cpu=llvm.get_host_cpu_name(),
        features=features.flatten(),
        vector_bytes=wide,
        versions=f"llvmlite {llvmlite.__version__} LLVM {version}",
    )


CODE_MODEL: dict[str, dict[str, str]] = (
    {"x86_64": {"reloc": "static", "codemodel": "large"}} if sys.platform == "linux" else {}
)
"""How code finds its constants. The linker maps code and constants separately and aborts the
process when they come to lie more than 2 GB apart, which they do beside large arrays: small code
is not safe on x86. 64-bit addresses cost nothing measurable. (`small` needs position-independent
code to load anywhere; elsewhere the reach is 4 GB, or `large` is not to be had.)"""


def _baseline() -> Host:
    """The host without its extensions: for scalar glue, good everywhere."""
    return host()._replace(cpu="", features="")


_idle: dict[tuple[int, Host], list[Any]] = {}


@contextmanager
def _target(opt: int, machine: Host) -> Iterator[Any]:
    """A target machine that no other thread uses meanwhile; making one takes a millisecond or two.
    """
    idle = _idle.setdefault((opt, machine), [])
    try:
        target = idle.pop()
    except IndexError:
        target = _new_machine(opt, machine)
    yield target
    idle.append(target)


def _new_machine(opt: int, machine: Host) -> Any:
    return _llvm().Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu,
        features=machine.features,
        opt=opt,
        **CODE_MODEL.get(machine.triple.partition("-")[0], {"reloc": "pic", "codemodel": "small"}),
    )


@cache
def _engine() -> Any:
    """The one linker of the process; it takes its target machine over, so it gets one of its
    own.
    """
    return _llvm().create_lljit_compiler(_new_machine(2, host()), suppress_errors=True)


def parse(text: str) -> Any:
    """The llvmlite module of `text`, verified, in a context of its own; `_close` it. Raises
    `IRError`.
    """
    found = re.search(_REFUSED, text, re.MULTILINE) if "asm" in text else None
    if found:
        line = text.count("\n", 0, found.end()) + 1
        raise IRError(f"LLVM IR, line {line}: inline assembly found; expected IR instructions only")
    if "\0" in text:
        raise IRError("LLVM IR: a NUL character found; expected text")
    llvm = _llvm()
    try:
        module = llvm.parse_assembly(text, llvm.create_context())
    except (RuntimeError, UnicodeError) as error:
        raise IRError(f"LLVM IR: {error}") from None
    _contexts[id(module)] = module._context
    try:
        module.verify()
        if re.search(_DECLARED, text, re.MULTILINE):  # others the parser knows, or refuses
            _refuse_unknown(module)
    except (RuntimeError, IRError) as error:
        _close(module)
        raise IRError(f"LLVM IR: {error}") from None
    return module


_contexts: dict[int, Any] = {}
"""Of the modules that are not closed: the collector may take the context first, and LLVM crashes.
"""


def _close(module: Any) -> None:
    context = _contexts.pop(id(module))
    module.close()
    context.close()


def _refuse_unknown(module: Any) -> None:
    for function in module.functions:
        name = function.name
        if name.startswith("llvm.") and function.is_declaration and not _is_intrinsic(function):
            raise IRError(f"{name} found; expected an intrinsic that this LLVM knows")


def _is_intrinsic(function: Any) -> bool:
    """Whether LLVM knows this `llvm.` name: it then prints its attributes, which a plain
    declaration lacks.
    """
    return any(True for _ in function.attributes)


class Unit:
    """A module that is parsed and verified; any thread may generate its code. `close` it. Raises
    `IRError`.

    `opt` is the code generator's level. 0 and 1 are for scalar glue code and need `baseline=True`:
    level 0 aborts on 512-bit types, which a baseline target does not have.
    """

    def __init__(self, text: str, opt: int = 2, baseline: bool = False) -> None:
        if opt == 0 and not baseline:
            raise ValueError("Unit: opt 0 on the full host; expected opt >= 1, or baseline=True")
        self.opt, self.machine = opt, _baseline() if baseline else host()
        with _visitors:
            self._module = parse(text)
            _set_target(self._module, opt, self.machine)
            self._message = _llvm().ffi.OutputString()
        self._buffer: Any = None

    def generate(self) -> None:
        """Makes the object code: LLVM alone is at work, without Python's lock and llvmlite's."""
        with _visitors, _target(self.opt, self.machine) as target:
            self._buffer = _generate()(target, self._module, 1, self._message)

    def object(self) -> bytes:
        """The code that `generate` made. Raises RuntimeError if LLVM made none."""
        if not self._buffer:
            raise RuntimeError(f"LLVM: {self._message}")
        lib = _llvm().ffi.lib
        with _visitors:
            size = lib.LLVMPY_GetBufferSize(self._buffer)
            return ctypes.string_at(lib.LLVMPY_GetBufferStart(self._buffer), size)

    def close(self) -> None:
        """Gives LLVM's memory back."""
        with _visitors:
            if self._buffer:
                _llvm().ffi.lib.LLVMPY_DisposeMemoryBuffer(self._buffer)
            self._buffer = None
            self._message.close()
            _close(self._module)


@cache
def _generate() -> Any:
    """`TargetMachine.emit_object`'s function in C. llvmlite lets one thread into LLVM at a time;
    on modules of different contexts, by different machines, code generation may run side by side.
    """
    lib = _llvm().ffi.lib
    locked = lib.LLVMPY_TargetMachineEmitToMemory
    function = ctypes.CDLL(lib._name)["LLVMPY_TargetMachineEmitToMemory"]
    function.argtypes, function.restype = locked.argtypes, locked.restype
    return function


def compile_text(text: str, opt: int = 2, baseline: bool = False) -> bytes:
    """Object code of LLVM IR text; code generation only. For the options see `Unit`."""
    unit = Unit(text, opt, baseline)
    try:
        unit.generate()
        return unit.object()
    finally:
        unit.close()


_WARM_UP = """
define void @f(ptr %p, i64 %n) {
start:
  br label %loop
loop:
  %i = phi i64 [0, %start], [%j, %loop]
  %q = getelementptr inbounds double, ptr %p, i64 %i
  %v = load <WIDTH x double>, ptr %q, align 8
  %s = call <WIDTH x double> @llvm.fma.vWIDTHf64(
    <WIDTH x double> %v, <WIDTH x double> %v, <WIDTH x double> %v)
  store <WIDTH x double> %s, ptr %q, align 8
  %j = add i64 %i, WIDTH
  %c = icmp slt i64 %j, %n
  br i1 %c, label %loop, label %end
end:
  ret void
}
declare <WIDTH x double> @llvm.fma.vWIDTHf64(
  <WIDTH x double>, <WIDTH x double>, <WIDTH x double>)
"""


def warm_up() -> None:
    """Compiles a small vector loop and drops it: the next function is compiled in 28 ms instead of
    37, as tables are set up and LLVM's pages are there. For a thread beside other work.
    """
    text = _WARM_UP.replace("WIDTH", str(host().vector_bytes // 8))
    with _target(2, host()):
        compile_text(text)
    compile_text(text)  # by the other machine: two threads will want one


def _set_target(module: Any, opt: int, machine: Host) -> None:
    """Tells the module that it is meant for the machine."""
    module.triple, module.data_layout = machine.triple, _data_layout(opt, machine)


@cache
def _data_layout(opt: int, machine: Host) -> str:
    with _target(opt, machine) as target:
        return str(target.target_data)


def asm(text: str, opt: int = 2, machine: Host | None = None) -> str:
    """Assembly text of LLVM IR text, as `compile_text` would generate it; or as it would be for
    another machine (`runtime.machines`), whose processor need not be this one's.

    Raises `IRError`, also for a call of another processor's instruction.
    """
    with _visitors:
        module = parse(text)
        try:
            if machine is not None:
                _refuse_foreign(module, machine)
                _llvm().initialize_all_targets()
                _llvm().initialize_all_asmprinters()
            machine = machine or host()
            _set_target(module, opt, machine)
            with _target(opt, machine) as target:
                return target.emit_assembly(module)
        finally:
            _close(module)


def _refuse_foreign(module: Any, machine: Host) -> None:
    """LLVM ends the process when it meets an instruction of another processor."""
    own = "llvm.x86.sse" if machine.triple.startswith("x86") else "llvm.aarch64."
    for function in module.functions:
        name = function.name
        foreign = name.startswith(("llvm.x86.", "llvm.aarch64.", "llvm.nvvm."))
        if foreign and not name.startswith(own):
            raise IRError(f"LLVM IR: {name} found; expected no instruction that is "
                          f"not of every {machine.triple.partition('-')[0]} processor")


def load(code: bytes, symbols: tuple[str, ...] | None = None) -> Code:
    """Loads object code (see `join`); the addresses of `symbols`, by default `tt_kernel`,
    and `tt_shape` where the object has it. The same bytes are loaded only once.

    Raises `LinkError` if it is no object code or a symbol is missing.
    """
    if symbols is None:  # a name stands in the object's string table as it is
        shaped = SHAPE_SYMBOL.encode() in code
        symbols = (KERNEL_SYMBOL, SHAPE_SYMBOL) if shaped else (KERNEL_SYMBOL,)
    identity = blake2b(code, digest_size=16, person=b"tt-object").hexdigest() + "".join(symbols)
    with _lock:
        found = _loaded.get(identity)
        if found is None:
            found = _loaded[identity] = _link(code, symbols, identity)
        return found


_JOINED = b"tetractys objects "


def join(objects: Sequence[bytes]) -> bytes:
    """Objects that are linked with each other, as one; `load` takes them apart."""
    if len(objects) == 1:
        return objects[0]
    return _JOINED + b"".join([len(one).to_bytes(8, "little") + one for one in objects])


def _objects(code: bytes) -> Iterator[bytes]:
    if not code.startswith(_JOINED):
        yield code
        return
    start = len(_JOINED)
    while start < len(code):
        end = start + 8 + int.from_bytes(code[start : start + 8], "little")
        yield code[start + 8 : end]
        start = end


def _link(code: bytes, symbols: tuple[str, ...], identity: str) -> Code:
    builder = _llvm().JITLibraryBuilder().add_current_process()
    for one in _objects(code):
        _refuse_non_object(one)
        builder.add_object_img(one)
    for symbol in symbols:
        builder.export_symbol(symbol)
    try:
        # Names of libraries can never be used again, not even after unloading.
        with _visitors:
            tracker = builder.link(_engine(), f"tetractys{next(_names)}")
    except RuntimeError as error:
        raise LinkError(f"object code: {error}") from None
    return Code(tracker, {symbol: tracker[symbol] for symbol in symbols}, identity)


def _refuse_non_object(code: bytes) -> None:
    """Checks the container format's first bytes: LLVM's own message for a wrong one is an abort."""
    magics = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\x64\x86", b"\x64\xaa")
    if not code.startswith(magics) or len(code) < ctypes.sizeof(ctypes.c_void_p) * 8:
        raise LinkError("object code: not an object file of this platform")
