"""The tile of our matrix products: 8 rows of C by 1 to 3 vectors, kept in registers, as LLVM IR.

A step of the loop is three vectors of a row of B, and a number of each of eight rows of A for three
multiply-adds: 24 of them for 11 loads. What a step reads is loaded a step before (the vectors) or a
row before (the numbers): loads that the caches answer late then cost nothing (5 % of a large
product where a core is shared with another machine's thread).
"""

from __future__ import annotations

from dataclasses import dataclass

VECTOR_BYTES = 64
ROWS = 8
VECTORS = 3
"""The tile: 24 accumulators; twice 3 vectors of B and twice a number of A fill the registers."""
STEPS = {3: 4, 2: 4, 1: 1}
"""Terms of a round of the loop, by the vectors of the tile; few, where it is not much used."""


@dataclass(frozen=True)
class Kind:
    """The names of one precision."""

    letter: str
    scalar: str
    bytes: int

    @property
    def lanes(self) -> int:
        """Elements of a vector."""
        return VECTOR_BYTES // self.bytes

    @property
    def vector(self) -> str:
        """The type of a vector."""
        return f"<{self.lanes} x {self.scalar}>"

    @property
    def mask(self) -> str:
        """The type of a mask."""
        return f"<{self.lanes} x i1>"

    @property
    def mangled(self) -> str:
        """The type's name in those of intrinsics."""
        return f"v{self.lanes}f{8 * self.bytes}"

    def load(self, name: str, pointer: str, mask: str) -> str:
        """A masked load: zeros where the mask is not."""
        return (f"  {name} = call {self.vector} @llvm.masked.load.{self.mangled}.p0("
                f"ptr align {self.bytes} {pointer}, {self.mask} {mask}, "
                f"{self.vector} zeroinitializer)\n")

    def store(self, value: str, pointer: str, mask: str) -> str:
        """A masked store."""
        return (f"  call void @llvm.masked.store.{self.mangled}.p0({self.vector} {value}, "
                f"ptr align {self.bytes} {pointer}, {self.mask} {mask})\n")

    def some(self, name: str, count: str) -> str:
        """A mask of the first `count` lanes: none for 0 and below, all from their number on."""
        return f"""  {name}_some = call i64 @llvm.smax.i64(i64 {count}, i64 0)
  {name}_least = call i64 @llvm.smin.i64(i64 {name}_some, i64 {self.lanes})
  {name}_above = shl i64 1, {name}_least
  {name}_bits = sub i64 {name}_above, 1
  {name}_few = trunc i64 {name}_bits to i{self.lanes}
  {name} = bitcast i{self.lanes} {name}_few to {self.mask}
"""


def tile(kind: Kind, vectors: int) -> str:
    """The tile of `vectors` vectors: C = (`adds`: C +) A B.

    Rows of A lie `along` bytes apart, their terms are dense; rows of B lie `down` bytes apart. Of
    `rows` rows fewer than 8 the last stands for those that are not there, and is computed and
    written again. Of `columns` (of C) the last vector may have fewer than it could hold; of B
    all lanes are read. C is on its way into the L2 cache while the sums are made (3 % of a large
    product).
    """
    k, steps = kind, STEPS[vectors]
    cells = [(row, v) for row in range(ROWS) for v in range(vectors)]
    rows = "".join(
        f"  %w{r} = call i64 @llvm.smin.i64(i64 %last, i64 {r})\n"
        f"  %ao{r} = mul i64 %w{r}, %along\n  %a{r} = getelementptr i8, ptr %a, i64 %ao{r}\n"
        f"  %co{r} = mul i64 %w{r}, %stride\n  %c{r} = getelementptr i8, ptr %c, i64 %co{r}\n"
        for r in range(ROWS)
    ) + "".join(
        f"  %z{r}_{v} = getelementptr i8, ptr %c{r}, i64 {v * VECTOR_BYTES}\n"
        f"  call void @llvm.prefetch.p0(ptr %z{r}_{v}, i32 0, i32 2, i32 1)\n" for r, v in cells
    )
    early = "".join(
        f"  %p{v} = getelementptr i8, ptr %b, i64 {v * VECTOR_BYTES}\n"
        f"  %first_b{v} = load {k.vector}, ptr %p{v}, align {k.bytes}\n" for v in range(vectors)
    )
    over = "".join(
        f"  %o{r}_{v} = phi {k.vector} [zeroinitializer, %entry], [%Lc{r}_{v}_{steps}, %loop]\n"
        for r, v in cells
    )
    sums = "".join(
        f"  %n{r}_{v} = phi {k.vector} [%o{r}_{v}, %rest], [%Tc{r}_{v}_1, %tail]\n"
        for r, v in cells
    )
    return f"""
define internal void @{k.letter}_tile{vectors}(ptr %a, i64 %along, ptr %b, i64 %down, i64 %depth,
    ptr %c, i64 %stride, i64 %rows, i64 %columns, i1 %adds) {{
entry:
  %last = sub i64 %rows, 1
{rows}  %early = sub i64 %depth, 1                          ; the last term has no next one to load
  %whole = and i64 %early, {-steps}
  %many = icmp sgt i64 %whole, 0
  br i1 %many, label %begin, label %rest
begin:
{early}  %e0 = load {k.scalar}, ptr %a0, align {k.bytes}
{_spread(k, "%first_x", "%e0")}  br label %loop
{_loop(k, vectors)}  %Lmore = icmp slt i64 %Lk1, %whole
  br i1 %Lmore, label %loop, label %rest
rest:
  %ob = phi ptr [%b, %entry], [%Lb_{steps}, %loop]
  %ok = phi i64 [0, %entry], [%whole, %loop]
{over}  %over = icmp slt i64 %ok, %depth
  br i1 %over, label %tail, label %finish
{_tail(k, vectors)}  %Tmore = icmp slt i64 %Tk1, %depth
  br i1 %Tmore, label %tail, label %finish
finish:
{sums}{_finish(k, vectors)}"""


def _spread(kind: Kind, name: str, number: str) -> str:
    """`name`: a vector of one number."""
    k = kind
    return (f"  {name}_1 = insertelement {k.vector} poison, {k.scalar} {number}, i64 0\n"
            f"  {name} = shufflevector {k.vector} {name}_1, {k.vector} poison, "
            f"<{k.lanes} x i32> zeroinitializer\n")


class _Body:
    """The instructions of terms; `p` tells the names of a loop from those of the other."""

    def __init__(self, kind: Kind, vectors: int, p: str) -> None:
        self.kind, self.vectors, self.p = kind, vectors, p

    def row_of_b(self, step: int, v: int) -> str:
        p, k = self.p, self.kind
        return (f"  %{p}q{step}_{v} = getelementptr i8, ptr %{p}b_{step}, "
                f"i64 {v * VECTOR_BYTES}\n"
                f"  %{p}v{step}_{v} = load {k.vector}, ptr %{p}q{step}_{v}, align {k.bytes}\n")

    def number_of_a(self, step: int, row: int) -> str:
        p, k = self.p, self.kind
        name = f"{step}_{row}"
        return (f"  %{p}x{name} = getelementptr {k.scalar}, ptr %a{row}, i64 %{p}k\n"
                f"  %{p}y{name} = getelementptr i8, ptr %{p}x{name}, i64 {step * k.bytes}\n"
                f"  %{p}e{name} = load {k.scalar}, ptr %{p}y{name}, align {k.bytes}\n"
                + _spread(k, f"%{p}s{name}", f"%{p}e{name}"))

    def products(self, step: int, row: int) -> str:
        p, k = self.p, self.kind
        return "".join(
            f"  %{p}c{row}_{v}_{step + 1} = call {k.vector} @llvm.fma.{k.mangled}("
            f"{k.vector} %{p}s{step}_{row}, {k.vector} %{p}v{step}_{v}, "
            f"{k.vector} %{p}c{row}_{v}_{step})\n" for v in range(self.vectors))

    def next_row(self, step: int) -> str:
        p = self.p
        return f"  %{p}b_{step + 1} = getelementptr i8, ptr %{p}b_{step}, i64 %down\n"


def _loop(kind: Kind, vectors: int) -> str:
    """Rounds of terms, whose operands are loaded ahead."""
    k, steps, body = kind, STEPS[vectors], _Body(kind, vectors, "L")
    lines = ["loop:\n  %Lk = phi i64 [0, %begin], [%Lk1, %loop]\n",
             f"  %Lb_0 = phi ptr [%b, %begin], [%Lb_{steps}, %loop]\n",
             f"  %Ls0_0 = phi {k.vector} [%first_x, %begin], [%Ls{steps}_0, %loop]\n"]
    lines += [f"  %Lv0_{v} = phi {k.vector} [%first_b{v}, %begin], [%Lv{steps}_{v}, %loop]\n"
              for v in range(vectors)]
    lines += [f"  %Lc{r}_{v}_0 = phi {k.vector} [zeroinitializer, %begin], "
              f"[%Lc{r}_{v}_{steps}, %loop]\n" for r in range(ROWS) for v in range(vectors)]
    for step in range(steps):
        lines.append(body.next_row(step))
        for row in range(ROWS):
            if row < vectors:
                lines.append(body.row_of_b(step + 1, row))
            ahead = (step, row + 1) if row + 1 < ROWS else (step + 1, 0)
            lines += [body.number_of_a(*ahead), body.products(step, row)]
    return "".join(lines) + f"  %Lk1 = add i64 %Lk, {steps}\n"


def _tail(kind: Kind, vectors: int) -> str:
    """The terms that are over, one by one."""
    k, body = kind, _Body(kind, vectors, "T")
    lines = ["tail:\n  %Tk = phi i64 [%ok, %rest], [%Tk1, %tail]\n",
             "  %Tb_0 = phi ptr [%ob, %rest], [%Tb_1, %tail]\n"]
    lines += [f"  %Tc{r}_{v}_0 = phi {k.vector} [%o{r}_{v}, %rest], [%Tc{r}_{v}_1, %tail]\n"
              for r in range(ROWS) for v in range(vectors)]
    lines += [body.row_of_b(0, v) for v in range(vectors)]
    lines += [body.number_of_a(0, row) + body.products(0, row) for row in range(ROWS)]
    return "".join(lines) + body.next_row(0) + "  %Tk1 = add i64 %Tk, 1\n"


def _finish(kind: Kind, vectors: int) -> str:
    """Into C. All of it is read before any is written: a row may stand for several."""
    k = kind
    cells = [(row, v) for row in range(ROWS) for v in range(vectors)]
    full = vectors - 1
    adds, stores, ends = [], [], []
    for r, v in cells:
        if v < full:
            adds.append(f"  %old{r}_{v} = load {k.vector}, ptr %z{r}_{v}, align {k.bytes}\n")
            ends.append(f"  store {k.vector} %s{r}_{v}, ptr %z{r}_{v}, align {k.bytes}\n")
        else:
            adds.append(k.load(f"%old{r}_{v}", f"%z{r}_{v}", "%m"))
            ends.append(k.store(f"%s{r}_{v}", f"%z{r}_{v}", "%m"))
        adds.append(f"  %new{r}_{v} = fadd {k.vector} %old{r}_{v}, %n{r}_{v}\n")
        stores.append(
            f"  %s{r}_{v} = phi {k.vector} [%n{r}_{v}, %finish], [%new{r}_{v}, %add]\n")
    return f"""  %left = sub i64 %columns, {full * k.lanes}
{k.some("%m", "%left")}  br i1 %adds, label %add, label %store
add:
{"".join(adds)}  br label %store
store:
{"".join(stores)}{"".join(ends)}  ret void
}}
"""
