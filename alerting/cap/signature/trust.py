"""Whether a certificate may speak: pinned itself, or issued under a pinned one, at a given time.

Owns no list of its own: the caller pins. Chains are built by cryptography's verifier (names, lengths, critical extensions,
times), under rules for a signer of documents instead of a server. Invariant: certificates of a message are steps to a pinned one,
never its substitute, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    ClientVerifier,
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)


def day(moment: datetime) -> str:
    """A time as messages write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def lifetime(certificate: x509.Certificate, at: datetime) -> str | None:
    """Why a certificate does not hold at a time; None when it does."""
    if at > certificate.not_valid_after_utc:
        return f"its certificate expired on {day(certificate.not_valid_after_utc)}"
    if at < certificate.not_valid_before_utc:
        return f"its certificate is not valid before {day(certificate.not_valid_before_utc)}"
    return None


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether the key usage, where it is stated, lets the key sign documents (RFC 5280, 4.2.1.3)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:  # extensions that cannot be read
        return False
    return usage.digital_signature or usage.content_commitment


def distrust(
    signer: x509.Certificate,
    others: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime,
) -> str | None:
    """Why the owner of `signer` is not trusted at the time `at`; None when he is. `others` came with the message."""
    if not anchors:
        return "no trusted certificates are known here"
    if (reason := lifetime(signer, at)) is not None:
        return reason
    if not may_sign(signer):
        return "its certificate is not for signing (key usage)"
    if _der(signer) in map(_der, anchors):
        return None
    try:
        _verifier(anchors, at).verify(signer, [each for each in others if each != signer])
    except (VerificationError, ValueError):
        if signer.issuer == signer.subject:
            return "its certificate is self-signed and not one of the trusted"
        return "no chain of valid certificates leads from its certificate to a trusted one"
    return None


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _verifier(anchors: Sequence[x509.Certificate], at: datetime) -> ClientVerifier:
    signer = ExtensionPolicy.permit_all()
    issuer = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_issuer)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_issue)
    )
    builder = PolicyBuilder().store(Store(list(anchors))).time(at.astimezone(UTC))
    return builder.extension_policies(ee_policy=signer, ca_policy=issuer).build_client_verifier()


def _is_issuer(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("not a certification authority")


def _may_issue(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("not for issuing certificates")
