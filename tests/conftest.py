"""Settings that the parallel test processes and the jobs that they start inherit; what the environment says stands."""

import os

from ontogeny.pipeline.devices import keep_bytecode

keep_bytecode()
# Tests compile many programs and run each for a moment: XLA is told not to optimise them.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
)
# There is a test process for every core, so BLAS with as many threads each would be slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Silent broadcasting and silent changes of dtype are faults.
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("JAX_NUMPY_DTYPE_PROMOTION", "strict")
