"""In which order the files of tests begin, where several run side by side."""

from collections.abc import Callable, Sequence

#: The last file that waits begins when so much of the rest is done: nothing is waited for alone.
_LAST_WAIT = 0.75


def in_order(
    files: Sequence[str], waits: Callable[[str], bool], longest: Sequence[str]
) -> list[str]:
    """The files; those that mostly wait (for processes, for messages) are spread among those that
    compute, so that the processors have work all the time. The `longest` begin first.
    """
    first = [file for file in longest if file in files]
    rest = [file for file in files if file not in first]
    waiting = _spread([file for file in rest if waits(file)], _LAST_WAIT)
    computing = _spread([file for file in rest if not waits(file)], 1.0)
    return [*first, *(file for _, file in sorted([*waiting, *computing]))]


def _spread(files: Sequence[str], end: float) -> list[tuple[float, str]]:
    return [(end * number / len(files), file) for number, file in enumerate(files)]
