"""The deployed app put together: one composition a process, the worker of the queue, the sweeps."""
