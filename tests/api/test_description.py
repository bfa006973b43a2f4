"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from alerting.api.access import access_of


def _document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = answer.get_json()
    return found


def _walk(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(each for inner in value.values() for each in _walk(inner))]
    if isinstance(value, list):
        return [each for inner in value for each in _walk(inner)]
    return []


def test_the_document_is_valid_openapi(client: FlaskClient) -> None:
    OpenAPIV31SpecValidator(_document(client)).validate()


def test_every_view_of_the_api_is_described_with_its_roles(app: Flask, client: FlaskClient) -> None:
    document = _document(client)
    assert document["openapi"].startswith("3.1")
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/"):
            continue
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = document["paths"][path][method.lower()]
            assert operation["summary"]
            access = access_of(app.view_functions[rule.endpoint])
            assert isinstance(access, frozenset)
            assert all(role.value in operation["description"] for role in access)


def test_every_reference_leads_somewhere(client: FlaskClient) -> None:
    document = _document(client)
    references = [each["$ref"] for each in _walk(document) if isinstance(each.get("$ref"), str)]
    assert references
    for reference in set(references):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_every_error_is_a_problem_document(client: FlaskClient) -> None:
    for path, operations in _document(client)["paths"].items():
        for method in ("get", "post", "put", "delete"):
            for status, answer in operations.get(method, {}).get("responses", {}).items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_a_warning_is_taken_as_xml_and_as_json_with_caps_own_names(client: FlaskClient) -> None:
    document = _document(client)
    content = document["paths"]["/api/v1/alerts"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/cap+xml", "application/xml", "application/json"}
    alert = document["components"]["schemas"]["CapAlert"]
    assert set(alert["required"]) == {"identifier", "sender", "sent", "status", "msgType", "scope"}
    assert alert["additionalProperties"] is False
    assert alert["properties"]["info"]["type"] == ["array", "null"]


def test_the_page_and_all_that_it_needs_come_from_here(client: FlaskClient) -> None:
    page = client.get("/docs/")
    assert page.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) >= 4
    for asset in assets:
        assert asset.startswith("/docs/")
        assert client.get(asset).status_code == 200
    assert client.get("/docs", follow_redirects=True).status_code == 200
