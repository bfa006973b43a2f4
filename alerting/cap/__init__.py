"""The Common Alerting Protocol: pure, without Flask, SQLAlchemy, Redis, marshmallow, clock, randomness or I/O."""
