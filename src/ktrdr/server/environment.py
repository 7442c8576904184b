"""What a worker may see of the server's environment."""

import os
from collections.abc import Mapping

from ktrdr.settings import Settings

PASSED_ON = (
    "CUDA_VISIBLE_DEVICES",
    "HOME",
    "KTRDR_HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONPATH",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)


def worker_variables(settings: Settings, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an allow-list of variables and those that make JAX small, quick to start and reproducible."""
    passed = {name: environment[name] for name in PASSED_ON if name in environment}
    # The server's working directory is not the one that a relative KTRDR_HOME was meant from.
    home = {"KTRDR_HOME": str(settings.home)} if settings.home else {}
    return (
        passed
        | home
        | dict(settings.provider_variables)
        | {
            "NPROC": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(settings.cache_dir / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "PYTHONUNBUFFERED": "1",
        }
    )
