"""What the client scripts share: their config, and a report of each operation as JSON."""

import json
import sys
import time

config = json.loads(sys.argv[1])
_report = {}


def step(name, operation):
    """Calls an operation, and reports what it gives back, or the error that it raises. Gives it back too (None after an error)."""
    try:
        value = operation()
        _report[name] = {"result": plain(value)}
        return value
    except Exception as error:
        _report[name] = {"error": type(error).__name__, "message": str(error)[:500]}
        return None


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
    json.dump(_report, sys.stdout)
