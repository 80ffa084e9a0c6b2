// RUN: tt-opt %s -p FAST_RUN --machine avx512 -t llvm | filecheck %s --check-prefix=LLVM512
// RUN: tt-opt %s -p FAST_RUN --machine avx2 -t llvm | filecheck %s --check-prefix=LLVM256
// RUN: tt-opt %s -p FAST_RUN --machine sse2 -t llvm | filecheck %s --check-prefix=LLVM128
// RUN: tt-opt %s -p FAST_RUN --machine avx512 -t asm | filecheck %s --check-prefix=AVX512
// RUN: tt-opt %s -p FAST_RUN --machine avx2 -t asm | filecheck %s --check-prefix=AVX2
// RUN: tt-opt %s -p FAST_RUN --machine sse2 -t asm | filecheck %s --check-prefix=SSE2
// RUN: tt-opt %s -p FAST_RUN --machine aarch64 -t asm | filecheck %s --check-prefix=AARCH64

// One schedule, four machines: the vector is as wide as the machine's. The tail is the same vector masked: in an instruction
// of AVX-512, lane by lane elsewhere.
// LLVM512-LABEL: define internal void @tt_part0
// LLVM512: fmul <16 x float>
// LLVM512: call <16 x float> @llvm.masked.load.v16f32.p0
// LLVM512: fmul <16 x float>
// LLVM512: call void @llvm.masked.store.v16f32.p0
// LLVM256-LABEL: define internal void @tt_part0
// LLVM256: fmul <8 x float>
// LLVM256: call <8 x float> @llvm.masked.load.v8f32.p0
// LLVM128-LABEL: define internal void @tt_part0
// LLVM128: fmul <4 x float>
// LLVM128: call <4 x float> @llvm.masked.load.v4f32.p0

// AVX512-LABEL: tt_part0:
// AVX512: vmovups (%[[X:r[a-z0-9]+]],%[[I:r[a-z0-9]+]],4), %zmm[[A:[0-9]+]]
// AVX512-NEXT: vmulps (%{{r[a-z0-9]+}},%[[I]],4), %zmm[[A]], %zmm[[A]]
// AVX512: vmulps %zmm{{[0-9]+}}, %zmm{{[0-9]+}}, %zmm[[B:[0-9]+]]
// AVX512: vmovups %zmm[[B]], (%{{r[a-z0-9]+}}) {%k1}
// AVX512-NOT: vmulss

// AVX2-LABEL: tt_part0:
// AVX2: vmovups (%{{r[a-z0-9]+}},%[[I:r[a-z0-9]+]],4), %ymm[[A:[0-9]+]]
// AVX2-NEXT: vmulps (%{{r[a-z0-9]+}},%[[I]],4), %ymm[[A]], %ymm[[A]]
// AVX2-NOT: %zmm

// SSE2-LABEL: tt_part0:
// SSE2: mulps %xmm{{[0-9]+}}, %xmm{{[0-9]+}}
// SSE2-NOT: %ymm

// AARCH64-LABEL: tt_part0:
// AARCH64: ldr q[[A:[0-9]+]], [
// AARCH64: fmul v{{[0-9]+}}.4s, v{{[0-9]+}}.4s, v{{[0-9]+}}.4s
func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = elemwise.mul %x, %y : tensor<?xf32>
  func.return %0 : tensor<?xf32>
}
