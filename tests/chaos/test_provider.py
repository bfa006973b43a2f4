"""The failure matrix, the provider: what it refuses or delays is deferred, and a lost reply repeats at most once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.chaos.conftest import Cluster

Rules = tuple[Mapping[str, object], ...]

STORMS: dict[str, Rules] = {
    "429": (
        {"channel": "sms", "http": 429, "code": 20429, "retry_after": 1, "times": 200},
        {"channel": "email", "reply": "452 4.3.1 later", "times": 100},
    ),
    "5xx": (
        {"channel": "sms", "http": 503, "code": 20503, "times": 30},
        {"channel": "email", "reply": "451 4.3.0 disk", "times": 10},
    ),
    "slow": (
        {"channel": "sms", "latency": 1.5, "times": 200},
        {"channel": "email", "latency": 1.0, "times": 48},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("storm", STORMS)
def test_what_the_provider_refuses_or_delays_is_deferred_and_nobody_is_lost_or_written_to_twice(
    cluster: Cluster, storm: str
) -> None:
    cluster.provider.misbehave(*STORMS[storm])
    cluster.country.warn(squares=100)
    cluster.paced("sms", "email")
    cluster.until(lambda: cluster.finished("sms") and cluster.finished("email"), 60)
    for channel in ("sms", "email"):
        assert set(cluster.counts(channel)) == cluster.everybody(channel)
        assert set(cluster.counts(channel).values()) == {1}
        assert not cluster.marked(channel)
    assert cluster.country.tally_differs() == []


@pytest.mark.slow
def test_a_lost_reply_of_a_text_is_looked_up_and_one_of_a_mail_repeats_once_at_most(cluster: Cluster) -> None:
    cluster.provider.misbehave(
        {"channel": "sms", "drop": True, "share": 0.05},
        {"channel": "email", "drop": True, "share": 0.05, "times": 30},
    )
    cluster.country.warn(squares=100)
    cluster.paced("sms", "email")
    cluster.until(lambda: cluster.finished("sms") and cluster.finished("email"), 60)
    texts, mails = cluster.counts("sms"), cluster.counts("email")
    assert set(texts) == cluster.everybody("sms")
    assert set(mails) == cluster.everybody("email")
    assert set(texts.values()) == {1}
    assert cluster.provider.lookups()["found"] == len(cluster.marked("sms")) > 20
    assert {to for to, times in mails.items() if times > 1} == cluster.marked("email")
    assert max(mails.values()) == 2
    assert cluster.country.tally_differs() == []


@pytest.mark.slow
def test_a_provider_that_hangs_is_waited_for_and_nobody_is_lost(cluster: Cluster) -> None:
    cluster.provider.misbehave(
        {"channel": "sms", "hang": True, "times": 10},
        {"channel": "sms", "hang": True, "drop": True, "times": 5},
        {"channel": "email", "hang": True, "stage": "connect", "times": 4},
        {"channel": "email", "hang": True, "stage": "mail", "times": 4},
        {"channel": "email", "hang": True, "drop": True, "times": 4},
    )
    cluster.country.warn(squares=100)
    cluster.paced("sms", "email")
    cluster.until(lambda: cluster.finished("sms") and cluster.finished("email"), 80)
    texts, mails = cluster.counts("sms"), cluster.counts("email")
    assert set(texts) == cluster.everybody("sms")
    assert set(mails) == cluster.everybody("email")
    assert set(texts.values()) == {1}
    assert len(cluster.marked("sms")) == 15
    assert {to for to, times in mails.items() if times > 1} <= cluster.marked("email")
    assert max(mails.values()) <= 2
    assert cluster.country.tally_differs() == []
