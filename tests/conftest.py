"""Tests compile many programs and run each for a moment: XLA is told not to optimise them, unless XLA_FLAGS says otherwise."""

import os

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
)
