from __future__ import annotations

import csv

import phonenumbers
import pytest

from alerting.store.addresses import normalise
from alerting.subscribing.sample import LANGUAGES, MOST, fictional_phone, sample_rows

ROWS = list(sample_rows(1200, seed=3, regions=["XA-N", "XA-S"], box=(10, 0, 14, 4)))
PEOPLE = list(csv.DictReader(ROWS))


def test_the_same_seed_gives_the_same_people():
    assert list(sample_rows(1200, seed=3, regions=["XA-N", "XA-S"], box=(10, 0, 14, 4))) == ROWS
    assert list(sample_rows(1200, seed=4, regions=["XA-N", "XA-S"], box=(10, 0, 14, 4))) != ROWS


def test_every_number_is_valid_fictional_and_nobody_elses():
    numbers = [fictional_phone(n) for n in range(MOST)]
    assert len(set(numbers)) == MOST
    assert all(number[5:10] == "55501" for number in numbers)
    for number in numbers[::997]:
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))
        assert normalise("sms", number, "CN") == number
    with pytest.raises(IndexError):
        fictional_phone(MOST)


def test_the_sample_has_every_language_channel_and_kind_of_place():
    assert {person["language"] for person in PEOPLE} == set(LANGUAGES)
    phones = [person for person in PEOPLE if person["phone"]]
    mails = [person for person in PEOPLE if person["email"]]
    points = [person for person in PEOPLE if person["lat"]]
    assert 0.45 < len(phones) / len(PEOPLE) < 0.65
    assert 0.45 < len(mails) / len(PEOPLE) < 0.65
    assert len(phones) + len(mails) > len(PEOPLE)
    assert 0.35 < len(points) / len(PEOPLE) < 0.45
    assert all(10 <= float(p["lon"]) <= 14 and 0 <= float(p["lat"]) <= 4 for p in points)
    assert all(bool(p["regions"]) != bool(p["lat"]) for p in PEOPLE)
    assert {p["email"].partition("@")[2] for p in mails} == {"example.org", "example.com", "example.net"}


def test_more_people_than_fictional_telephones_are_refused():
    with pytest.raises(ValueError, match="at most"):
        next(sample_rows(MOST + 1, seed=1, regions=[], box=(0, 0, 1, 1)))
