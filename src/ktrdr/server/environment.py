"""What a worker may see of the server's environment."""

import os
from collections.abc import Callable, Iterable, Mapping

from pydantic import ValidationError

from ktrdr.errors import KtrdrError
from ktrdr.operations.engine import Assignment
from ktrdr.operations.kind import OperationKind
from ktrdr.settings import PREFIX, Settings

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


class WorkerEnvironment:
    """Gives a worker the usual variables, and of those for providers only what its own ones are told.

    `kept` returns the names of the providers whose bars there are: one of those is asked if none is named.
    """

    def __init__(
        self,
        usual: Mapping[str, str],
        told: Mapping[str, str],
        kinds: Mapping[str, OperationKind],
        kept: Callable[[], Iterable[str]],
    ) -> None:
        self._usual = dict(usual)
        self._told = dict(told)
        self._kinds = kinds
        self._kept = kept

    def __call__(self, assignment: Assignment) -> dict[str, str]:
        """Return the variables of the worker that is given the assignment."""
        families = {each.partition(":")[0].upper() for each in self._providers(assignment)}
        return self._usual | {
            name: value
            for name, value in self._told.items()
            if name.removeprefix(PREFIX).partition("_")[0] in families
        }

    def _providers(self, assignment: Assignment) -> Iterable[str]:
        kind = self._kinds[assignment.operation_type]
        if not self._told:
            return ()
        try:
            named = kind.sources(kind.request_model.model_validate(dict(assignment.request)))
        except (KtrdrError, ValidationError):
            return ()  # the worker says what is wrong with it
        return self._kept() if named is None else named


def worker_variables(settings: Settings, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an allow-list of variables and those that make JAX small, quick to start and reproducible."""
    passed = {name: environment[name] for name in PASSED_ON if name in environment}
    # The server's working directory is not the one that a relative KTRDR_HOME was meant from.
    home = {"KTRDR_HOME": str(settings.home)} if settings.home else {}
    return (
        passed
        | home
        | {
            "NPROC": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(settings.cache_dir / "jax"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "PYTHONUNBUFFERED": "1",
        }
    )
