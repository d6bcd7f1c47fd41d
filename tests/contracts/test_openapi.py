"""The document of the API is valid and whole: every route, who may call it, and every refusal."""

from __future__ import annotations

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from schemas.signatures import SIGNATURE_HEADER
from server.access.permissions import ROUTES, RouteScope
from server.app import create_app
from server.config import read_config
from server.errors import PROBLEM_TYPE
from tests.support.offices import office_environment

ADDRESS = "/api/v1/openapi.json"
APP = create_app(read_config(office_environment("sqlite://")))
DOCUMENT = APP.test_client().get(ADDRESS).get_json()
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
OPERATIONS = [
    (method, path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in _METHODS
]
# What has to be proved, by the scope that the table of permissions gives a route.
PROOF = {
    RouteScope.DEVICE: "device_signature",
    RouteScope.SELF: "session",
    RouteScope.ASSIGNED: "session",
    RouteScope.OFFICE: "session",
}
each_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{method} {path}" for method, path, _ in OPERATIONS]
)


def routes():
    """Every rule of the server under /api/v1 that is not the document itself."""
    rules = [rule for rule in APP.url_map.iter_rules() if rule.rule.startswith("/api/v1/")]
    return [rule for rule in rules if rule.rule != ADDRESS]


def path_of(rule) -> str:
    """A rule's path as OpenAPI writes it."""
    return re.sub(r"<(?:[^:<>]+:)?([a-z_]+)>", r"{\1}", rule.rule)


def resolved(node):
    """Follow a reference inside the document."""
    while "$ref" in node:
        target = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def schemas_in(node):
    """Yield every object of a JSON tree."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from schemas_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas_in(child)


def test_the_document_is_valid_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_document_names_every_route_and_no_other():
    served = {(m.lower(), path_of(rule)) for rule in routes() for m in rule.methods - {"HEAD", "OPTIONS"}}
    assert {(method, path) for method, path, _ in OPERATIONS} == served


@each_operation
def test_an_operation_documents_its_answers(method, path, operation):
    """Refusals are problem details; there is one good answer, with a schema."""
    statuses = {status: resolved(answer) for status, answer in operation["responses"].items()}
    refusals = {status: answer for status, answer in statuses.items() if status[0] in "45"}
    assert refusals
    for answer in [*refusals.values(), statuses["default"]]:
        assert list(answer["content"]) == [PROBLEM_TYPE]
        assert answer["content"][PROBLEM_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}
    [good] = [answer for status, answer in statuses.items() if status[0] == "2"]
    assert list(good["content"]) == ["application/json"]
    assert resolved(good["content"]["application/json"]["schema"])["properties"]


@each_operation
def test_an_operation_says_what_it_does(method, path, operation):
    assert operation["summary"].endswith(".")


@each_operation
def test_an_operation_says_how_its_caller_proves_itself(method, path, operation):
    [rule] = [rule for rule in routes() if path_of(rule) == path and method.upper() in rule.methods]
    scope = ROUTES[rule.endpoint].scope
    if scope is RouteScope.PUBLIC:
        assert operation["security"] == []
        return
    [needed] = operation["security"]
    expected = {PROOF[scope]}
    if scope is not RouteScope.DEVICE and method != "get":
        expected.add("form_token")
    assert set(needed) == expected
    assert needed.keys() <= DOCUMENT["components"]["securitySchemes"].keys()
    declared = {status for status in operation["responses"] if status[0] == "4"}
    assert {"401", "403"} <= declared


def test_every_way_to_prove_oneself_is_described():
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["device_signature"]["name"] == SIGNATURE_HEADER
    assert all(scheme["description"] for scheme in schemes.values())


def test_patterns_are_ones_that_ecmascript_knows():
    """JSON Schema's expressions are ECMAScript's: a client in another language can use them."""
    patterns = [node["pattern"] for node in schemas_in(DOCUMENT) if isinstance(node.get("pattern"), str)]
    assert patterns
    assert [pattern for pattern in patterns if re.search(r"\\[AZz]|\(\?[^:=!]", pattern)] == []
    assert [pattern for pattern in patterns if not (pattern[0] == "^" and pattern[-1] == "$")] == []
