// RUN: tt-opt %s -p FAST_RUN --machine avx512 -t asm | filecheck %s --check-prefix=AVX512
// RUN: tt-opt %s -p FAST_RUN --machine avx2 -t asm | filecheck %s --check-prefix=AVX2
// RUN: tt-opt %s -p FAST_RUN --machine sse2 -t asm | filecheck %s --check-prefix=SSE2
// RUN: tt-opt %s -p FAST_RUN --machine aarch64 -t asm | filecheck %s --check-prefix=AARCH64

// Rows of x in one pass: a vector of w serves all of them. Multiplied and added in one instruction wherever there is one.
// AVX512-LABEL: tt_part0:
// AVX512: vmovupd (%{{r[a-z0-9]+}},%[[I:r[a-z0-9]+]],8), %zmm[[W:[0-9]+]]
// AVX512: vfmadd231pd (%{{r[a-z0-9]+}},%[[I]],8), %zmm[[W]], %zmm{{[0-9]+}}
// AVX512: vfmadd231pd (%{{r[a-z0-9]+}},%[[I]],8), %zmm[[W]], %zmm{{[0-9]+}}
// AVX512-NOT: vmulsd

// AVX2-LABEL: tt_part0:
// AVX2: vfmadd231pd {{.*}}, %ymm[[W:[0-9]+]], %ymm{{[0-9]+}}
// AVX2: vfmadd231pd {{.*}}, %ymm[[W]], %ymm{{[0-9]+}}
// AVX2-NOT: %zmm

// SSE2-LABEL: tt_part0:
// SSE2-NOT: fmadd
// SSE2: mulpd
// SSE2: addpd
// SSE2-NOT: %ymm

// AARCH64-LABEL: tt_part0:
// AARCH64: fmla v{{[0-9]+}}.2d, v[[W:[0-9]+]].2d, v{{[0-9]+}}.2d
func.func @main(%x: tensor<?x?xf64>, %w: tensor<?xf64>) -> tensor<?xf64> {
  %0 = tensor.dot %x, %w : (tensor<?x?xf64>, tensor<?xf64>) -> tensor<?xf64>
  func.return %0 : tensor<?xf64>
}
