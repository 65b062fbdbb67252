"""The kernel wall around a worker: limits, privileges, Landlock, seccomp. Each module is one wall.

Order matters and is `sandbox.process.worker`'s: rlimits, privileges, Landlock, the timer thread,
then seccomp on every thread (Landlock binds one thread; one started earlier would stay free).
"""
