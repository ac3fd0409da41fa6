"""What processes did to files and sockets, from a record that ``strace`` made of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CALLS: Final = (
    "openat", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek", "ftruncate",
    "fallocate", "fsync", "fdatasync", "link", "linkat", "rename", "renameat", "renameat2",
    "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "copy_file_range", "sendfile",
)  # fmt: skip
_SAID: Final = ("sendto", "sendmsg", "recvfrom", "recvmsg")
_LINE: Final = re.compile(r"(\d+) +(\d+\.\d+) (<\.\.\. )?(\w+)(?:\(| resumed>)(.*)")
_OTHER: Final = re.compile(r"^\d+ +\d+\.\d+ (---|\+\+\+) ")
"""A signal, or the end of a process."""
_UNFINISHED: Final = " <unfinished ...>"
_TOOK: Final = re.compile(r" <(\d+\.\d+)>$")
_FILE: Final = re.compile(r"(\d+|AT_FDCWD)<([^>]*)>")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


@dataclass(frozen=True, slots=True)
class Call:
    """One call, or that it began.

    Args:
        name: of the call.
        process: that called.
        files: the paths of its open files, in the order of its arguments.
        handles: their numbers, in the same order.
        texts: the bytes and paths among its arguments.
        arguments: all of them, as they were recorded.
        result: what came of it; ``None`` where it only begins here.
        at: when it ended, in seconds; or when it began.
    """

    name: str
    process: int
    files: tuple[str, ...]
    handles: tuple[str, ...]
    texts: tuple[bytes, ...]
    arguments: str
    result: int | None
    at: float


def recording(to: Path, *, said: bool = True) -> tuple[str, ...]:
    """The program that starts another one, and records what it and its children do.

    Args:
        to: the file with the record.
        said: what they say to other processes is recorded too.
    """
    traced = f"trace={','.join((*_CALLS, *(_SAID if said else ())))}"
    options = ("-f", "--seccomp-bpf", "-q", "-y", "-xx", "-ttt", "-T", "-s", str(2**26))
    return ("strace", *options, "-e", traced, "-o", str(to))


def calls(record: Path) -> Iterator[Call]:
    """Every call, where it ended; and before that where it began, if another came between."""
    begun: dict[str, str] = {}
    with record.open("r", encoding="ascii") as lines:
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                if _OTHER.search(line) is None:
                    raise ValueError(f"strace wrote what is not understood: {line[:200]}")
                continue
            process, when, resumed, name, rest = found.groups()
            if rest.endswith(_UNFINISHED):
                begun[process] = rest.removesuffix(_UNFINISHED)
                yield _call(name, process, begun[process], None, at=float(when))
                continue
            arguments, _, result = (begun.pop(process, "") + rest).rpartition(" = ")
            number = re.match(r"-?\d+", result)
            took = _TOOK.search(result)
            at = float(when) + (float(took[1]) if took and not resumed else 0)
            known = int(number[0]) if number else -1
            yield _call(name, process, arguments, known, result, at=at)


def _call(
    name: str, process: str, arguments: str, result: int | None, opened: str = "", *, at: float
) -> Call:
    """An ``openat`` names what it opened by its result."""
    said = opened if name == "openat" else arguments
    files = [(one[1], _bytes(one[2]).decode()) for one in _FILE.finditer(said)]
    texts = [one[1] for one in _TEXT.finditer(arguments)]
    return Call(
        name, int(process), tuple(path for _, path in files), tuple(one for one, _ in files),
        tuple(map(_bytes, texts)), arguments, result, at,
    )  # fmt: skip


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
