"""What a program calls itself, as people call it: ``Firefox, Windows``.

A program may call itself anything: it helps to know one's own sessions again, and decides nothing.
"""

from typing import Final

#: By what a program says of itself. Most also name those after them: the first counts.
_PROGRAMS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_LONGEST: Final = 40


def named(client: str) -> str:
    """Address and program of a session in short; a program that is no browser by its first word."""
    address, _, agent = client.partition(" ")
    program = next((name for sign, name in _PROGRAMS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if not program:
        program, system = (agent.split() or [""])[0][:_LONGEST], ""
    return ", ".join(filter(None, (program, system, address)))
