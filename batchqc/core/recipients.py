"""Recipients are pseudonyms, never names (requirement 10.07).

A pseudonym is the code of the clinical site, a ``-``, and what the site calls its subject. The site
keeps the list of who that is. What looks like a name or a birth date is refused.
"""

import re
from typing import Final

from batchqc.core.identifiers import fold

_SUBJECT: Final = re.compile(r"[A-Z0-9]{1,10}(?:-[A-Z0-9]{1,10}){0,3}", re.IGNORECASE | re.ASCII)
_NAME: Final = re.compile(r"[a-z]{3,}", re.IGNORECASE)
_DATE: Final = re.compile(r"[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,4}|[0-9]{6,}", re.ASCII)


def pseudonym_problem(text: str, *, site: str) -> str | None:
    """Why ``text`` is not the pseudonym of a recipient at a clinical site, or ``None``."""
    start = f"{fold(site)}-"
    subject = text[len(start) :]
    if not fold(text).startswith(start) or text != text.strip() or not _SUBJECT.fullmatch(subject):
        return f'the pseudonym is "{site}-" and the subject number of the site, A-Z 0-9 -'
    if _NAME.search(subject):
        return "the pseudonym looks like a name: at most two letters stand together in it"
    if _DATE.search(subject):
        return "the pseudonym looks like a date: at most five digits stand together in it"
    if not re.search(r"[0-9]", subject):
        return "the pseudonym holds no number: initials tell who somebody is"
    return None
