"""A million subscribers, written straight into the tables: the population of every fan-out row.

Owns the invented country: a hundred square regions of one degree in ten rows, one parent. 60 % of the people follow a
region, 40 % a point, spread evenly; six languages in turn; half have a telephone, half a mailbox, all sealed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import psycopg
import shapely
from psycopg.types.json import Jsonb

from alerting.config import Settings
from alerting.store.addresses import Vault
from alerting.store.cells import cells_of
from alerting.wording.rendered import content_hash

LANGUAGES = ("en", "zh-Hans", "zh-Hant", "es", "fr", "ar")
WEST, SOUTH, SIDE = 10.0, 40.0, 10
TEXTS = {
    "en": "FLOOD WARNING until 18:00 CET: leave the river banks now. Riverside authority. {link}",
    "zh-Hans": "洪水警报，有效至18:00：请立即离开河岸。河岸管理局 {link}",
    "zh-Hant": "洪水警報，有效至18:00：請立即離開河岸。河岸管理局 {link}",
    "es": "ALERTA DE INUNDACION hasta las 18:00: aléjese de la orilla. Autoridad Ribera. {link}",
    "fr": "ALERTE INONDATION jusqu'à 18h00 : éloignez-vous des berges. Autorité Riveraine. {link}",
    "ar": "تحذير من فيضان حتى الساعة 18:00: ابتعدوا عن ضفاف النهر. هيئة النهر {link}",
}


def settle(url: str, settings: Settings, people: int, *, seed: int = 7) -> None:
    """Fill an empty, migrated database with the country and its people, and analyse it."""
    with psycopg.connect(url, autocommit=True) as connection:
        _regions(connection)
        _people(connection, settings, people, np.random.default_rng(seed))
        for table in ("subscriber", "address", "follow", "region"):
            connection.execute(f"VACUUM ANALYZE {table}")


def _regions(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO region (id, code, low, high, names) OVERRIDING SYSTEM VALUE VALUES (1, 'XX', 0, 100, '{\"en\": \"Land\"}')"
    )
    for i in range(SIDE * SIDE):
        west, south = WEST + i % SIDE, SOUTH + i // SIDE
        box = shapely.box(west, south, west + 1, south + 1)
        connection.execute(
            """INSERT INTO region (id, code, parent, low, high, names, geometry, west, south, east, north)
               OVERRIDING SYSTEM VALUE VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (i + 2, f"XX-{i:02}", i + 1, i + 1, Jsonb({"en": f"Square {i}"}),
             shapely.to_wkb(box), west, south, west + 1, south + 1),
        )  # fmt: skip
        connection.execute("INSERT INTO region_geocode VALUES ('BENCH', %s, %s)", (f"XX-{i:02}", i + 2))


def _people(
    connection: psycopg.Connection, settings: Settings, people: int, random: np.random.Generator
) -> None:
    vault = Vault(settings)
    lats = SOUTH + SIDE * random.random(people)
    lons = WEST + SIDE * random.random(people)
    regions = ((lats - SOUTH).astype(int) * SIDE + (lons - WEST).astype(int) + 2).tolist()
    by_region = (random.random(people) < 0.6).tolist()
    cells = cells_of(lats, lons).tolist()
    consent = "2026-01-01 00:00:00+00"
    _copy(
        connection,
        "subscriber (id, language, token, source, consent_at)",
        (f"{i}\t{LANGUAGES[i % 6]}\tt{i}\tbench\t{consent}" for i in range(1, people + 1)),
    )

    def addresses() -> Iterator[str]:
        for i in range(1, people + 1):
            channel, plain = ("sms", f"+4915{i:09}") if i % 12 < 6 else ("email", f"p{i}@example.org")
            key, cipher = vault.seal(channel, plain)
            yield f"{i}\t{channel}\t{i}\tactive\t\\\\x{cipher.hex()}\t{key}\t\\\\x{vault.mac(channel, plain).hex()}"

    _copy(connection, "address (id, channel, subscriber, state, cipher, key_id, mac)", addresses())
    _copy(
        connection,
        "follow (subscriber, region, lat, lon, cell, floor)",
        (
            f"{i + 1}\t{regions[i]}\t\\N\t\\N\t\\N\t0"
            if by_region[i]
            else f"{i + 1}\t{regions[i]}\t{lats[i]:.6f}\t{lons[i]:.6f}\t{cells[i]}\t0"
            for i in range(people)
        ),
    )


def _copy(connection: psycopg.Connection, target: str, rows: Iterator[str]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        buffer = io.StringIO()
        for n, row in enumerate(rows, 1):
            buffer.write(row + "\n")
            if n % 10_000 == 0:
                copy.write(buffer.getvalue())
                buffer = io.StringIO()
        copy.write(buffer.getvalue())


def polygon(rows: int, columns: int, vertices: int = 500) -> shapely.Polygon:
    """A shape of waves that nearly fills a block of squares at the north-east corner of the country."""
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    lon, lat = WEST + SIDE - columns / 2, SOUTH + SIDE - rows / 2
    # A superellipse of order 12 is a rectangle with round corners; the waves make its border work.
    r = (np.abs(np.cos(angles)) ** 12 + np.abs(np.sin(angles)) ** 12) ** (-1 / 12) * (
        0.99 + 0.008 * np.sin(40 * angles)
    )
    return shapely.Polygon(
        np.column_stack([lon + columns / 2 * r * np.cos(angles), lat + rows / 2 * r * np.sin(angles)])
    )


def issue(url: str, *, squares: int, rows: int, columns: int, priority: int = 0, hours: float = 6.0) -> UUID:
    """Issue a warning of two segments straight in the tables: `squares` regions by code, and a polygon over a block.

    The first squares (from the south-west) and the block (north-east) must not overlap. Returns the alert's id.
    """
    now = datetime.now(UTC)
    alert_id = uuid4()
    shape = polygon(rows, columns)
    by_code = list(range(2, squares + 2))
    boxes = [
        (i + 2, shapely.box(WEST + i % SIDE, SOUTH + i // SIDE, WEST + i % SIDE + 1, SOUTH + i // SIDE + 1))
        for i in range(SIDE * SIDE)
    ]
    meeting = [i for i, box in boxes if shapely.intersection(box, shape).area > 1e-3]
    with psycopg.connect(url) as connection:
        gate = ("live", "Actual", "Public", "Alert")
        connection.execute(
            """INSERT INTO alert (id, slug, workspace, sender, identifier, sent, status, scope, msg_type, origin, hash, cap,
                                  cap_xml, received_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'own', %s, %s, %s, %s)""",
            (alert_id, alert_id.hex[:10], gate[0], "bench@warn.example", alert_id.hex, now, *gate[1:], alert_id.bytes,
             Jsonb({}), b"", now),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO alert_state (alert, state, submitted_by, issued_at, expires) VALUES (%s, 'issued', 'bench', %s, %s)",
            (alert_id, now, now + timedelta(hours=hours)),
        )
        grounds = [(0, [1, *by_code], by_code, None), (1, [1, *meeting], [], shapely.to_wkb(shape))]
        for n, regions, covered, geometry in grounds:
            connection.execute(
                """INSERT INTO segment (alert, n, rank, severity, infos, languages, categories, area, effective, expires,
                                        regions, covered, geometry)
                   VALUES (%s, %s, %s, 4, '{0}', %s, '{Met}', 'Riverside', %s, %s, %s, %s, %s)""",
                (
                    alert_id,
                    n,
                    n,
                    list(LANGUAGES),
                    now,
                    now + timedelta(hours=hours),
                    regions,
                    covered,
                    geometry,
                ),
            )
            for channel in ("sms", "email"):
                for language in LANGUAGES:
                    text = TEXTS[language].format(link=f"https://warn.example/w/{alert_id.hex[:10]}")
                    subject, html = (
                        (None, None) if channel == "sms" else (text[:40], f"<p lang='{language}'>{text}</p>")
                    )
                    connection.execute(
                        """INSERT INTO rendering (alert, segment, channel, language, subject, text, html, segments, sha256)
                           VALUES (%s, %s, %s, %s, %s, %s, %s, 1, %s)""",
                        (
                            alert_id,
                            n,
                            channel,
                            language,
                            subject,
                            text,
                            html,
                            content_hash(subject, text, html),
                        ),
                    )
        for channel in ("sms", "email"):
            connection.execute(
                """INSERT INTO dispatch (alert, workspace, status, scope, msg_type, audience, channel, state, priority,
                                         created_at, expires)
                   VALUES (%s, %s, %s, %s, %s, 'public', %s, 'planning', %s, %s, %s)""",
                (alert_id, *gate, channel, priority, now, now + timedelta(hours=hours)),
            )
    return alert_id
