"""Every error a user can meet.

::

    KtrdrError                    code, message, hint, detail
    ├── InputInvalid              input_invalid       what was asked cannot be done as asked
    │   ├── StrategyInvalid       strategy_invalid    a strategy file, at file:line:column
    │   └── DataInvalid           data_invalid        bars, with the first offenders
    ├── NotFound                  not_found           nothing by that name
    ├── Conflict                  conflict            the same key, another request
    ├── Unavailable               unavailable         not now; carries `retry_after`
    │   ├── QueueFull             queue_full          too many operations wait
    │   ├── DiskFull              disk_full           there is no room to write
    │   └── StoreDamaged          store_damaged       what is stored of operations is not whole
    ├── AccessDenied              access_denied       the server does not let this user in
    ├── ServerUnreachable         server_unreachable  no answer; nothing started unless `may_have_arrived`
    ├── ServerFailed              server_failed       the server failed, or cannot be understood
    ├── ContactLost               contact_lost        it was started; how it goes on is unknown
    ├── ProviderFailed            provider_failed     a source of bars cannot answer now
    ├── TrainingFailed            training_failed     the work itself went wrong
    └── OperationCancelled        cancelled           raised inside a worker when cancellation was asked
"""

from collections.abc import Sequence


class KtrdrError(Exception):
    """An error with one sentence a user can act on and, where there is one, a hint."""

    code = "internal"

    def __init__(self, message: str, *, hint: str | None = None, detail: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = tuple(detail)


class InputInvalid(KtrdrError):
    """What was asked cannot be done as asked; asking again unchanged will not help."""

    code = "input_invalid"


class StrategyInvalid(InputInvalid):
    """A strategy file breaks its grammar; the message begins with `file:line:column` of the first mistake.

    `mistakes` has all of them: line and column counted from 1, what is wrong, and how to mend it.
    """

    code = "strategy_invalid"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        detail: Sequence[str] = (),
        mistakes: Sequence[tuple[int, int, str, str | None]] = (),
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.mistakes = tuple(mistakes)


class DataInvalid(InputInvalid):
    """Bars break the ingest rules; `detail` lists the first offenders by line."""

    code = "data_invalid"


class NotFound(KtrdrError):
    """Nothing is known by the name that was asked for."""

    code = "not_found"


class Conflict(KtrdrError):
    """The same key was used for a different request."""

    code = "conflict"


class Unavailable(KtrdrError):
    """The server cannot take this now; `retry_after` says in how many seconds it may."""

    code = "unavailable"

    def __init__(
        self, message: str, *, retry_after: float, hint: str | None = None, may_have_arrived: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.may_have_arrived = may_have_arrived


class QueueFull(Unavailable):
    """Too many operations are waiting already."""

    code = "queue_full"


class DiskFull(Unavailable):
    """There is no room for what has to be written; the message says how much is needed and free."""

    code = "disk_full"


class StoreDamaged(Unavailable):
    """What is stored of operations is missing or cannot be read; nothing of it is removed or replaced."""

    code = "store_damaged"


class AccessDenied(KtrdrError):
    """The server does not let this user do that."""

    code = "access_denied"


class ServerUnreachable(KtrdrError):
    """No answer came; `may_have_arrived` tells whether the server can have acted all the same."""

    code = "server_unreachable"

    def __init__(self, message: str, *, hint: str | None = None, may_have_arrived: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.may_have_arrived = may_have_arrived


class ServerFailed(KtrdrError):
    """The server answered that it failed, or in a way that cannot be understood."""

    code = "server_failed"


class ContactLost(KtrdrError):
    """An operation was started, and how it goes on cannot be learned."""

    code = "contact_lost"


class ProviderFailed(KtrdrError):
    """A source of bars did not answer, or not in a way that can be used; asking again later may help."""

    code = "provider_failed"


class TrainingFailed(KtrdrError):
    """Training went wrong in a way the user can mend, for instance a loss that is not finite."""

    code = "training_failed"


class OperationCancelled(KtrdrError):
    """Cancellation was asked for; raised inside a worker at its next report."""

    code = "cancelled"
