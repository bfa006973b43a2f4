"""A small country with its providers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from alerting.config import Settings
from bench import population
from channels.sandbox.server import Sandbox, SandboxConfig
from tests.fanout.country import PEOPLE, Country


@pytest.fixture
def country(settings: Settings) -> Country:
    population.settle(settings.database_url, settings, PEOPLE)
    return Country(settings.database_url)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(settings.twilio_account_sid, settings.twilio_auth_token)) as running:
        yield running


@pytest.fixture
def wired(settings: Settings, sandbox: Sandbox) -> Settings:
    """Settings whose providers are the sandbox."""
    return replace(settings, twilio_api_base_url=sandbox.http_url, smtp_url=sandbox.smtp_url)
