"""Turns outbox rows into sends: PostgreSQL decides, RQ only wakes."""
