"""What the client scripts share: their config, and a report of each operation as JSON."""

import functools
import inspect
import json
import sys
import time

config = json.loads(sys.argv[1])
_report = {}
_uncalled = set()


def step(name, operation):
    """Calls an operation, and reports what it gives back, or the error that it raises. Gives it back too (None after an error)."""
    try:
        value = operation()
        _report[name] = {"result": plain(value)}
        return value
    except Exception as error:
        _report[name] = {"error": type(error).__name__, "message": str(error)[:500]}
        return None


def watch(cls, only=lambda name: True):
    """Has the report say, as `uncalled`, which public methods of a client's class weren't called: its own, and what its package has it inherit."""
    package = cls.__module__.rsplit(".", 1)[0]
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if name.startswith("_") or not method.__module__.startswith(package) or not only(name):
            continue
        operation = f"{cls.__name__}.{name}"
        _uncalled.add(operation)
        setattr(cls, name, _noting(method, operation))


def _noting(method, operation):
    @functools.wraps(method)
    def noting(*args, **kwargs):
        _uncalled.discard(operation)
        return method(*args, **kwargs)

    return noting


def until(ask, wanted, seconds=30):
    """Asks again until the answer is as wanted."""
    end = time.time() + seconds
    while True:
        answer = ask()
        if wanted(answer):
            return answer
        if time.time() > end:
            raise TimeoutError(f"still {answer}")
        time.sleep(0.05)


def plain(value):
    """A value as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")[:200]
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return str(value)


def finish():
    """Prints the report."""
    _report["uncalled"] = {"result": sorted(_uncalled)}
    json.dump(_report, sys.stdout)
