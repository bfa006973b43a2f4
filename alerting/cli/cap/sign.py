"""`alerting cap sign`: a CAP document with a signature over it, made with a private key from a file.

Invariant: nothing is written unless the document was signed, and neither key nor password reaches a message.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from alerting.cli.cap.documents import Unreadable, load
from alerting.cli.cap.report import WRONG, line, named, say, stop, write_out

if TYPE_CHECKING:
    from alerting.cap.signature import SigningKey


@click.command()
@click.argument("file")
@click.option("--key", required=True, metavar="PEM", help="The private key and its certificate, in one file.")
@click.option("--password-file", metavar="FILE", help="The first line of this file opens the key.")
@click.option("--output", metavar="FILE", help="Where to write it [default: the standard output].")
def sign(file: str, key: str, password_file: str | None, output: str | None) -> None:
    """Sign a CAP 1.2 document (XML); - is the standard input.

    Exit status: 0 signed, 1 the document is no CAP 1.2, 2 a file could not be read or written.
    """
    from alerting.cap.signature import sign as put_signature
    from alerting.cap.xml import read

    opened = _key(key, password_file)
    try:
        data = load(file)
    except Unreadable as error:
        stop(f"{named(file)}: {error}")
    document = read(data)
    if document.alert is None:
        for finding in document.findings:
            say(f"{named(file)}: {line(finding)}", err=True)
        sys.exit(WRONG)
    try:
        signed = put_signature(data, opened)
    except ValueError as error:
        stop(f"{named(file)}: cannot be signed: {error}", status=WRONG)
    write_out(signed, output)


def _key(key: str, password_file: str | None) -> SigningKey:
    from alerting.cap.signature import load_key

    name = key
    try:
        pem = load(key)
        password = None
        if password_file is not None:
            name = password_file
            lines = load(password_file).splitlines()
            password = lines[0] if lines else b""
            name = key
        return load_key(pem, password)
    except (Unreadable, ValueError) as error:
        stop(f"{named(name)}: {error}")
