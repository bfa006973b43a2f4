from __future__ import annotations

import pytest

from channels.base import Reason, Status
from channels.smtp_words import Reply, verdict


@pytest.mark.parametrize(
    ("code", "enhanced", "status", "reason"),
    [
        (250, "2.0.0", Status.ACCEPTED, None),
        (251, "", Status.ACCEPTED, None),
        (450, "", Status.UNREACHABLE, Reason.NOT_REACHABLE),
        (450, "4.7.1", Status.THROTTLED, None),
        (451, "", Status.UNREACHABLE, Reason.PROVIDER_ERROR),
        (452, "4.2.2", Status.UNREACHABLE, Reason.MAILBOX_FULL),
        (452, "", Status.THROTTLED, Reason.QUEUE_FULL),
        (499, "", Status.UNREACHABLE, Reason.OTHER),
        (503, "5.5.1", Status.UNREACHABLE, Reason.PROVIDER_ERROR),
        (550, "", Status.REJECTED, Reason.NO_SUCH_MAILBOX),
        (550, "5.1.1", Status.REJECTED, Reason.NO_SUCH_MAILBOX),
        (550, "5.7.1", Status.REJECTED, Reason.BLOCKED),
        (550, "5.1.2", Status.REJECTED, Reason.INVALID_ADDRESS),
        (551, "", Status.REJECTED, Reason.NO_SUCH_MAILBOX),
        (552, "", Status.REJECTED, Reason.MAILBOX_FULL),
        (552, "5.3.4", Status.REJECTED, Reason.CONTENT_REFUSED),
        (553, "", Status.REJECTED, Reason.NO_SUCH_MAILBOX),
        (553, "5.6.7", Status.REJECTED, Reason.INVALID_ADDRESS),
        (554, "", Status.REJECTED, Reason.CONTENT_REFUSED),
        (599, "", Status.REJECTED, Reason.OTHER),
        (354, "", Status.UNKNOWN, Reason.OTHER),
    ],
)
def test_a_reply_is_read_by_its_enhanced_code_then_its_code_then_its_first_digit(
    code: int, enhanced: str, status: Status, reason: Reason | None
):
    assert verdict(Reply(code, enhanced)) == (status, reason)
