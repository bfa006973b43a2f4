"""What an officer's act can end in.

    AuthoringError
    ├── Refused       the document, or the act, is wrong; carries every finding (422)
    ├── Conflict      another document has this identity (409)
    ├── NotFound      no such warning (404)
    ├── SamePerson    who submits does not approve (403)
    ├── Contradicted  the words contradict the status, and nobody has overridden that (409)
    ├── NotSigned     the authority's key cannot sign what was to be issued (503)
    └── WrongState    the warning is not in a state that allows this (409)

Invariant: a Refused holds at least one finding of severity error; its warnings are those of the same look.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from alerting.cap.findings import ERROR, Finding


class AuthoringError(Exception):
    """Root of what the use cases of officers raise; the text may be shown to the caller."""


class Refused(AuthoringError):
    """Nothing was written; `findings` has everything that was found, errors and warnings, by place."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        errors = [finding for finding in findings if finding.severity == ERROR]
        super().__init__("\n".join(f"{each.pointer or '/'}: {each.message}" for each in errors))
        self.findings = tuple(findings)


class Conflict(AuthoringError):
    """The identity belongs to the warning `existing`, whose text is another."""

    def __init__(self, existing: UUID) -> None:
        super().__init__(
            "a warning with this sender and identifier exists and says something else: "
            "give this one a new identifier, or make it an Update"
        )
        self.existing = existing


class NotFound(AuthoringError):
    """There is no such warning."""


class SamePerson(AuthoringError):
    """Four eyes: the key that submitted a warning cannot approve it."""


class Contradicted(AuthoringError):
    """The words of a warning contradict its status; `findings` has each contradiction that is not overridden."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(
            "words of this warning contradict its status: override each with a reason if they are meant, "
            "else submit the warning again with other words"
        )
        self.findings = tuple(findings)


class NotSigned(AuthoringError):
    """The signing key, its certificate or its file is unusable: nothing was issued; the text says why."""


class WrongState(AuthoringError):
    """The warning's state, or that of one that it replaces, does not allow the act; the text says which."""
