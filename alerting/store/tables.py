"""The schema on one page: the constraints are the design.

Owns every table, as SQLAlchemy Core; the migrations make them, and a test compares the two. Times are timestamptz in UTC.
Foreign keys are left out only where a row is written for each recipient (delivery), because each costs a third of the
insert rate; the columns say so. Imports nothing of the service but `states`. Invariant: what must never happen
(a second alert of one identity, an exercise on a public route, a second message to one address) is refused here.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from alerting.store.states import (
    AddressState,
    AlertState,
    Audience,
    BatchState,
    DeliveryStatus,
    DispatchState,
    NoticeKind,
    Origin,
    Role,
    Workspace,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def _time(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required)


def _one_of(column: str, values: type[StrEnum], name: str | None = None) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(v.value) for v in values)})", name=name or column)


def _words() -> ARRAY[str]:
    return ARRAY(Text)


#: The gate (architecture section 3) as SQL over columns workspace, status, scope, msg_type.
PUBLIC_GATE = (
    "workspace = 'live' AND status = 'Actual' AND scope = 'Public' "
    "AND msg_type IN ('Alert', 'Update', 'Cancel', 'Error')"
)

# ---------------------------------------------------------------------------------------------------- warnings

alert = Table(
    "alert",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seq", BigInteger, Identity(), nullable=False, unique=True),  # the order of arrival, for cursors
    Column("slug", Text, nullable=False, unique=True),  # of the public page: short enough for an SMS
    Column("workspace", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    _time("sent", required=True),
    Column("status", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("msg_type", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # SHA-256 of the canonical model
    Column("cap", JSONB, nullable=False),  # the canonical model in JSON form
    Column("cap_xml", LargeBinary, nullable=False),  # relayed: the bytes received; own: as written by us
    Column("omit", JSONB, nullable=False, server_default=text("'{}'")),  # channel -> reason
    _time("received_at", required=True),
    UniqueConstraint("sender", "identifier", "sent"),
    Index(
        "alert_own_identity_key", "sender", "identifier", unique=True, postgresql_where=text("origin = 'own'")
    ),
    UniqueConstraint("id", "workspace", "status", "scope", "msg_type", name="alert_gate_key"),
    _one_of("workspace", Workspace),
    _one_of("origin", Origin),
    CheckConstraint("(workspace = 'live') = (status = 'Actual')", name="live_is_actual"),
)

alert_state = Table(
    "alert_state",
    metadata,
    Column("alert", Uuid, ForeignKey("alert.id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("submitted_by", Text, nullable=False),
    Column("approved_by", Text),
    Column(
        "people", JSONB, nullable=False, server_default=text("'{}'")
    ),  # channel -> number shown at approval
    _time("issued_at"),
    _time("ended_at"),
    _time("expires"),  # the latest of its segments
    Column("signed_xml", LargeBinary),  # cap_xml with our signature, made at the issue; null: without
    _one_of("state", AlertState),
    Index("alert_state_in_force_idx", "expires", postgresql_where=text("state = 'issued'")),
)

supersedes = Table(
    "supersedes",
    metadata,
    Column("new", Uuid, ForeignKey("alert.id"), nullable=False),
    Column("old", Uuid, ForeignKey("alert.id"), nullable=False),
    PrimaryKeyConstraint("new", "old"),
    Index("supersedes_old_idx", "old"),
)

segment = Table(
    "segment",
    metadata,
    Column("alert", Uuid, ForeignKey("alert.id"), nullable=False),
    Column("n", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # cap.rank: 0 is the most urgent
    Column("severity", SmallInteger, nullable=False),  # Floor: 0 is Unknown
    Column("infos", ARRAY(SmallInteger), nullable=False),  # indices of info in document order
    Column("languages", _words(), nullable=False),
    Column("categories", _words(), nullable=False),  # CAP categories, matched against follow.hazards
    Column("area", Text, nullable=False),  # areaDesc of its blocks, for lists
    _time("effective", required=True),
    _time("expires", required=True),
    Column(
        "regions", ARRAY(Integer), nullable=False
    ),  # every region that shares ground: its followers are reached
    Column(
        "covered", ARRAY(Integer), nullable=False
    ),  # regions wholly inside: points in them need no geometry
    Column(
        "geometry", LargeBinary
    ),  # WKB, longitude latitude, the united ground outside `covered`; null: none
    PrimaryKeyConstraint("alert", "n"),
    CheckConstraint("cardinality(regions) > 0 OR geometry IS NOT NULL", name="has_ground"),
    Index("segment_regions_idx", "regions", postgresql_using="gin"),
)

rendering = Table(
    "rendering",
    metadata,
    Column("alert", Uuid, ForeignKey("alert.id"), nullable=False),
    # -1: for those whom the replaced alert reached and who are outside this one's ground
    Column("segment", SmallInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("language", Text, nullable=False),  # BCP 47, or mul
    Column("subject", Text),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("segments", SmallInteger, nullable=False),  # of SMS; 1 for the others
    Column("sha256", LargeBinary, nullable=False),
    PrimaryKeyConstraint("alert", "segment", "channel", "language"),
)

notice = Table(
    "notice",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("subject", Text),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("segments", SmallInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    _time("created_at", required=True),
    _one_of("kind", NoticeKind),
)

# ------------------------------------------------------------------------------------------------------ outbox

dispatch = Table(
    "dispatch",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("alert", Uuid),
    Column("notice", BigInteger, ForeignKey("notice.id")),
    Column("workspace", Text),
    Column("status", Text),
    Column("scope", Text),
    Column("msg_type", Text),
    Column("audience", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # Whose warning it is, for the fair share: the CAP sender; empty: the service itself, which answers a citizen.
    Column("authority", Text, nullable=False, server_default=text("''")),
    Column("state", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),  # cap.rank of its most urgent segment: 0 goes first
    Column(
        "replaces", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")
    ),  # waits for their leases
    Column("recipients_of", ARRAY(BigInteger)),  # a Cancel: those whom these dispatches reached or may have
    Column("cursor_segment", SmallInteger, nullable=False, server_default=text("0")),
    Column("cursor_phase", Text, nullable=False, server_default=text("'regions'")),
    Column("cursor_id", BigInteger, nullable=False, server_default=text("0")),
    Column(
        "ranges", Integer, nullable=False, server_default=text("0")
    ),  # ranges expanded: the first ones are small
    Column("planned", BigInteger, nullable=False, server_default=text("0")),
    Column("approved", BigInteger),  # people counted at approval; null: not limited
    _time("created_at", required=True),
    _time("not_before"),
    _time("expires", required=True),
    _time("opened_at"),  # expansion has ended
    _time("closed_at"),
    # Nothing of it moves by itself any more: it is closed, and no receipt is waited for.
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Column("forgotten_to", BigInteger, nullable=False, server_default=text("0")),  # n without recipients
    _time("forgotten_at"),  # all of them
    # Unfinished when a backup was restored: what is planned of it may have been sent since the backup.
    Column("restored_from", Text),  # its state in the backup
    # It is held because of that and for no other reason; any later move of its state ends it.
    Column("held_by_restore", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("num_nonnulls(alert, notice) = 1", name="subject"),
    CheckConstraint(
        "alert IS NULL OR num_nonnulls(workspace, status, scope, msg_type) = 4", name="repeats_alert"
    ),
    CheckConstraint(f"audience <> 'public' OR (alert IS NOT NULL AND {PUBLIC_GATE})", name="gate"),
    CheckConstraint(
        "audience <> 'exercise' OR (workspace = 'exercise' AND status IN ('Exercise', 'Test'))",
        name="exercise",
    ),
    CheckConstraint("alert IS NULL OR audience IN ('public', 'exercise')", name="alert_audience"),
    ForeignKeyConstraint(
        ["alert", "workspace", "status", "scope", "msg_type"],
        ["alert.id", "alert.workspace", "alert.status", "alert.scope", "alert.msg_type"],
        name="dispatch_gate_fkey",
    ),
    UniqueConstraint("alert", "channel", "audience"),
    _one_of("audience", Audience),
    _one_of("state", DispatchState),
    # The claim walks it: the most urgent first, then from one authority to the next, then by age.
    Index(
        "dispatch_work_idx",
        "channel",
        "priority",
        "authority",
        "id",
        postgresql_where=text("state IN ('planning', 'open')"),
    ),
    Index("dispatch_held_idx", "channel", postgresql_where=text("state = 'held'")),
    CheckConstraint("restored_from IN ('planning', 'open', 'held')", name="restored_from"),
    Index(
        "dispatch_kept_idx",
        "expires",
        postgresql_where=text("state IN ('done', 'withdrawn') AND forgotten_at IS NULL"),
    ),
    # The sweep's: by these it finds what ends, whatever the history.
    Index("dispatch_expires_idx", "expires", postgresql_where=text("state IN ('planning', 'open', 'held')")),
    Index("dispatch_withdrawn_idx", "id", postgresql_where=text("state = 'withdrawn' AND NOT settled")),
    Index(
        "dispatch_unsettled_idx",
        "closed_at",
        postgresql_where=text("state IN ('done', 'withdrawn') AND NOT settled"),
    ),
    Index("dispatch_planning_idx", "priority", "authority", postgresql_where=text("state = 'planning'")),
)

batch = Table(
    "batch",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("dispatch", BigInteger, ForeignKey("dispatch.id"), nullable=False),
    Column("n_from", BigInteger, nullable=False),
    Column("n_to", BigInteger, nullable=False),  # inclusive
    Column("picked", ARRAY(BigInteger)),  # a retry: these n alone
    Column("state", Text, nullable=False),
    _time("not_before"),
    _time("lease_until"),
    Column("token", Uuid),
    Column("started_to", BigInteger),  # n up to which messages may have left under this lease
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    # Kept here and not in dispatch: a drain that locked its dispatch's row would wait for the planner, and it for the drain.
    _time("first_at"),  # first message of it accepted
    _time("done_at"),
    Column("ready_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),  # waits since
    # What its sends came to, for the counters (store.counters), and whether the sweep has moved that there.
    Column("results", JSONB),
    Column("counted", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("n_from <= n_to", name="range"),
    CheckConstraint("(state = 'leased') = (token IS NOT NULL)", name="lease"),
    _one_of("state", BatchState),
    # Two, so that thousands of retries whose time has not come stand in nobody's way.
    Index(
        "batch_ready_idx",
        "dispatch",
        "n_from",
        postgresql_where=text("state = 'ready' AND not_before IS NULL"),
    ),
    Index(
        "batch_due_idx",
        "dispatch",
        "not_before",
        postgresql_where=text("state = 'ready' AND not_before IS NOT NULL"),
    ),
    Index("batch_done_idx", "done_at", postgresql_where=text("state = 'done'")),
    Index("batch_leased_idx", "lease_until", postgresql_where=text("state = 'leased'")),
    Index("batch_dispatch_idx", "dispatch", "state"),
    Index(
        "batch_uncounted_idx",
        "id",
        postgresql_where=text("state = 'done' AND NOT counted AND results IS NOT NULL"),
    ),
)

delivery_status = Enum(
    DeliveryStatus,
    name="delivery_status",
    values_callable=lambda e: [member.value for member in e],
    metadata=metadata,
)

delivery = Table(
    "delivery",
    metadata,
    Column("dispatch", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("address", BigInteger),  # no foreign key; null and no feed either: the recipient was forgotten
    Column("feed", Integer),
    Column("segment", SmallInteger, nullable=False),
    Column("region", Integer, nullable=False),  # where it was reached; 0: no region
    Column(
        "language", Text, nullable=False
    ),  # the reader's; the text is chosen among the renderings when sent
    Column("status", delivery_status, nullable=False),
    Column("reason", Text),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("reference", Text),  # the provider's id
    Column("maybe_repeated", Boolean, nullable=False, server_default=text("false")),
    _time("at"),  # of the last change by a send or a receipt
    PrimaryKeyConstraint("dispatch", "n"),
    CheckConstraint(
        "num_nonnulls(address, feed) = 1 OR (num_nonnulls(address, feed) = 0 AND status <> 'planned')",
        name="to",
    ),
    Index(
        "delivery_address_key",
        "dispatch",
        "address",
        unique=True,
        postgresql_where=text("address IS NOT NULL"),
    ),
    Index("delivery_feed_key", "dispatch", "feed", unique=True, postgresql_where=text("feed IS NOT NULL")),
    # A page that is a third full keeps the status updates on it (HOT): no index entry is written for them. Half full is
    # not enough: with its reference and time a row is as large again, a third of the updates left the page, and a settled
    # row cost 4.5 us instead of 2.4, and more space in the end.
    postgresql_with={"fillfactor": "35"},
)

tally = Table(
    "tally",
    metadata,
    Column("dispatch", BigInteger, ForeignKey("dispatch.id"), nullable=False),
    Column("region", Integer, nullable=False),
    Column("status", delivery_status, nullable=False),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("dispatch", "region", "status"),
    # Not AND n > 0: a column of a predicate counts as indexed, and no change of n would stay on its page (HOT).
    Index("tally_planned_idx", "dispatch", postgresql_where=text("status = 'planned'")),
    postgresql_with={"fillfactor": "50"},
)

receipt = Table(
    "receipt",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("provider", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("dispatch", BigInteger),
    Column("n", BigInteger),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("reference", Text),
    Column("raw", JSONB, nullable=False),  # without To, From and Body
    _time("received_at", required=True),
    UniqueConstraint("provider", "event_id"),
)

progress = Table(
    "progress",
    metadata,
    Column("reader", Text, primary_key=True),  # "receipts"
    Column("id", BigInteger, nullable=False),
)

sender = Table(
    "sender",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("name", Text, nullable=False),
    _time("next_free", required=True),  # up to here its pace is given away (fanout.pace)
    Column("rate", Double),  # messages (SMS: segments) a second; null: as fast as the provider takes
    Column("weight", Double, nullable=False, server_default=text("1")),
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row, of the whole provider
    _time("resting_until"),
    Column("turn", SmallInteger),  # priority of whoever has the next grant
    _time("turn_until"),  # and until when it is kept for them
    UniqueConstraint("channel", "provider", "name"),
)

# -------------------------------------------------------------------------------------------- people and places

region = Table(
    "region",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("parent", Integer, ForeignKey("region.id", deferrable=True, initially="DEFERRED")),
    Column("low", Integer, nullable=False),  # the region and its descendants are those with low between
    Column("high", Integer, nullable=False),  # its low and its high
    Column("names", JSONB, nullable=False),  # language -> name
    Column("geometry", LargeBinary),  # WKB; null: the union of its children
    Column("west", Double),
    Column("south", Double),
    Column("east", Double),
    Column("north", Double),
    Column("time_zone", Text),
    CheckConstraint("low <= high", name="interval"),
    Index("region_low_idx", "low"),
    Index("region_parent_idx", "parent"),
)

region_geocode = Table(
    "region_geocode",
    metadata,
    Column("scheme", Text, nullable=False),  # the valueName of the geocode, upper case
    Column("value", Text, nullable=False),
    Column("region", Integer, ForeignKey("region.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("scheme", "value", "region"),
    Index("region_geocode_region_idx", "region"),
)

region_name = Table(
    "region_name",
    metadata,
    Column("key", Text, nullable=False),  # the name as people type it: NFKC, case folded, single blanks
    Column("region", Integer, ForeignKey("region.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("key", "region"),
    Index("region_name_region_idx", "region"),
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("audience", Text, nullable=False, server_default=text("'public'")),  # or exercise
    Column("language", Text, nullable=False),
    Column("token", Text, nullable=False, unique=True),  # of the unsubscribe link
    Column("source", Text, nullable=False),  # api | import | sms | demo
    Column("external_id", Text, unique=True),  # of an import, to repeat it
    _time("consent_at", required=True),
    CheckConstraint("audience IN ('public', 'exercise')", name="audience"),
    # The three indexes that INCLUDE answer an expansion without touching a table: ten times quicker on a million.
    Index("subscriber_reader_idx", "id", postgresql_include=["audience", "language"]),
)

address = Table(
    "address",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("subscriber", BigInteger, ForeignKey("subscriber.id", ondelete="CASCADE")),
    Column("state", Text, nullable=False),
    Column("cipher", LargeBinary, nullable=False),  # nonce and AES-GCM of the normalised address
    Column("key_id", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),  # HMAC-SHA256 of the normalised address under its own key
    _time("stopped_at"),  # since when it is not active
    UniqueConstraint("channel", "mac"),
    Index("address_closed_idx", "stopped_at", postgresql_where=text("state <> 'active'")),
    Index("address_active_idx", "channel", "id", postgresql_where=text("state = 'active'")),
    Index("address_subscriber_idx", "subscriber", "channel", postgresql_include=["id", "state"]),
    _one_of("state", AddressState),
)

suppression = Table(
    "suppression",
    metadata,
    Column("channel", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),  # as in address, of which no row is needed
    _time("since", required=True),
    PrimaryKeyConstraint("channel", "mac"),
)

follow = Table(
    "follow",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subscriber", BigInteger, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("region", Integer, ForeignKey("region.id")),  # a point: the smallest region around it, null at sea
    Column("lat", Double),
    Column("lon", Double),
    Column("cell", Integer),  # number of the 0.05 degree cell of a point
    Column("floor", SmallInteger, nullable=False, server_default=text("0")),
    Column("hazards", _words()),  # CAP categories; null: all
    CheckConstraint("num_nonnulls(lat, lon, cell) IN (0, 3)", name="point"),
    CheckConstraint("region IS NOT NULL OR cell IS NOT NULL", name="place"),
    CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="wgs84"),
    Index("follow_subscriber_idx", "subscriber"),
    Index("follow_region_idx", "region", "subscriber", postgresql_include=["floor", "cell", "hazards"]),
    Index("follow_cell_idx", "cell", postgresql_where=text("cell IS NOT NULL")),
    Index("follow_point_idx", "subscriber", postgresql_where=text("cell IS NOT NULL")),
)

# ------------------------------------------------------------------------------------------ officers and records

officer = Table(
    "officer",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    _time("created_at", required=True),
    _one_of("role", Role),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),  # SHA-256 of 256 random bits
    _time("created_at", required=True),
    _time("revoked_at"),
    _one_of("role", Role),
)

policy = Table(
    "policy",
    metadata,
    Column("name", Text, primary_key=True),  # approvers
    Column("value", JSONB, nullable=False),
)

feed = Table(
    "feed",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),  # rss | web
    Column("key", Text, nullable=False),  # all | all/fr | CN-AH | CN-AH/fr
    Column("region", Integer, ForeignKey("region.id")),
    Column("language", Text),
    _time("asked_at", required=True),
    UniqueConstraint("channel", "key"),
)

feed_head = Table(
    "feed_head",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    _time("changed_at", required=True),
    CheckConstraint("one", name="one"),
)

publication = Table(
    "publication",
    metadata,
    Column("feed", Integer, ForeignKey("feed.id"), nullable=False),
    Column("media", Text, nullable=False),  # rss | atom | json
    Column("version", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _time("built_at", required=True),
    _time("good_until", required=True),  # the next expiry among its entries
    PrimaryKeyConstraint("feed", "media"),
)

metric = Table(
    "metric",
    metadata,
    Column("name", Text, nullable=False),  # store.counters.Counted
    Column("labels", _words(), nullable=False),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "labels"),
    # Moved all day and read whole: half-empty pages keep each move on its page.
    postgresql_with={"fillfactor": "50"},
)

beat = Table("beat", metadata, Column("process", Text, primary_key=True), _time("at", required=True))

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _time("at", required=True),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Index("audit_subject_idx", "subject", "seq"),
)

#: Tables whose rows are never changed, and those that are never deleted either. Triggers say so to every role; the one
#: change that they let through empties a receipt or a notice of what leads to a person.
APPEND_ONLY = ("alert", "segment", "rendering", "notice", "receipt", "audit")
NEVER_DELETED = ("alert", "audit")

#: What the public may see: the one place, besides the dispatch's CHECK, where the gate stands.
PUBLIC_VIEW = f"""
CREATE VIEW public_alert AS
SELECT alert.id, alert.seq, alert.slug, alert.sender, alert.identifier, alert.sent, alert.msg_type, alert.cap,
       COALESCE(alert_state.signed_xml, alert.cap_xml) AS cap_xml, alert.received_at, alert.omit, alert_state.state,
       alert_state.issued_at, alert_state.ended_at, alert_state.expires
FROM alert JOIN alert_state ON alert_state.alert = alert.id
WHERE {PUBLIC_GATE} AND alert_state.issued_at IS NOT NULL
"""  # noqa: S608 - a constant of this module
