"""Whatever the document allows or forbids is sent: no 5xx, and no answer that it does not declare.

Requests are signed by an enrolled tablet or logged in, and a share of them is made valid, so that
every operation answers 2xx at least once. `TUNGNHA_LONG=1` sends many more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.exchange import Problem
from server.errors import PROBLEM_TYPE
from tests.contracts.api_callers import CODES, Callers, share
from tests.support.raw_tablet import ENROLMENTS, SYNC
from tests.support.watched_office import watched_office

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
_IS_LONG = os.environ.get("TUNGNHA_LONG") == "1"
_EXAMPLES = 1500 if _IS_LONG else 25
SETTINGS = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=not _IS_LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def callers(tmp_path_factory) -> Iterator[Callers]:
    """A server with something in it, and its callers."""
    path = tmp_path_factory.mktemp("contracts") / "office.sqlite3"
    with watched_office(f"sqlite:///{path}") as watched:
        callers = Callers(watched)
        watched.office.app.wsgi_app = callers
        yield callers
        watched.office.runtime.transactions.engine.dispose()


@pytest.fixture(scope="module")
def api(callers):
    """The document, as the server tells it."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", callers._office.app)


def made_sensible(case, callers: Callers) -> None:
    """Put into a share of the cases what only the office knows."""
    match case.operation.path:
        case path if path == SYNC:
            case.body = callers.sync_body(case.body)
        case path if path == ENROLMENTS:
            case.body = callers.enrolment_body(case.body)
        case path if path == CODES:
            case.body = callers.code_body(case.body)
        case "/api/v1/agents/{worker_id}/entries" if share(case.query, 2):
            case.path_parameters = {"worker_id": callers.some_worker()}
        case "/api/v1/statements/{number}" if share(case.path_parameters, 2):
            case.path_parameters = {"number": callers.some_statement()}
        case "/api/v1/public/funds/{number}" if share(case.path_parameters, 2):
            case.path_parameters = {"number": callers.some_fund()}
        case "/api/v1/conflicts/{record_id}" if share(case.path_parameters, 2):
            is_sent = case.method == "POST"
            # A decision settles it, so that the next one needs another.
            record_id, entry_id = callers.some_dispute(is_fresh=is_sent and share(case.body, 8) == 0)
            case.path_parameters = {"record_id": record_id}
            if is_sent and isinstance(case.body, dict) and share(case.body, 2) == 0:
                case.body = {"base": entry_id, "choose": {"members": entry_id}, "set": {}}
        case "/api/v1/receipts/{digits}" if share(case.path_parameters, 4) == 0:
            case.path_parameters = {"digits": callers.some_receipt()}


def test_every_answer_is_declared(callers, api):
    """One test for all operations: in the end each of them has to have answered 2xx."""

    def check(case) -> None:
        answer_checked(case, callers)

    for result in api.get_all_operations():
        operation = result.ok()
        # Schemathesis's own fixture for pytest reads what pytest 9.2 no longer has.
        config = HypothesisTestConfig(
            project=api.config,
            modes=[HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING],
            settings=SETTINGS,
            explicit_settings=SETTINGS,
        )
        create_test(operation=operation, test_func=check, config=config)()
    without = [label for label, statuses in callers.answers.items() if not statuses & {200, 201}]
    assert without == [], f"never answered 2xx: {without}"
    assert len(callers.answers) == len(list(api.get_all_operations()))


def answer_checked(case, callers: Callers) -> None:
    """Send one case and check everything that the document says of its answer."""
    made_sensible(case, callers)
    response = case.call()
    case.validate_response(response, checks=_CHECKS)
    [content_type] = response.headers["content-type"]
    content = response.json() if "json" in content_type else None
    declared = {int(status) for status in case.operation.responses.status_codes if status != "default"}
    is_declared_method = case.method.lower() == case.operation.method.lower()
    if is_declared_method:
        # The document's default answer would hide an undeclared status from the check above.
        assert response.status_code in declared, (response.status_code, content)
    if response.status_code >= 400:
        assert content_type == PROBLEM_TYPE
        assert Problem().validate(content) == {}
        assert content["status"] == response.status_code
    code = content.get("code") if isinstance(content, dict) and response.status_code >= 400 else None
    if is_declared_method:
        callers.heard(case.operation.label, response.status_code, code, content)
