"""Whatever is wrong with a token, the caller hears the same, and the log says which of a closed set of reasons it was."""

import logging
from collections.abc import Mapping

import pytest

from server.trust.reasons import Reason
from tests.server.answers import check_answer
from tests.server.logged import lines, text
from tests.server.trust.conftest import Service, Web
from tests.server.trust.ehrs import PATIENT_VIEW, Ehr, bearer
from tests.server.trust.token_makers import Make
from tests.server.trust.wrong_tokens import HOSPITAL, WRONG

BODY = (
    b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login","diagnostics":"MYO-1251: Send a token that '
    b'this service accepts: Authorization: Bearer, as CDS Hooks 2.0.1 describes."}]}'
)


@pytest.mark.requirement(
    "J-4", "J-10", "J-11", "J-12", "J-13", "J-14", "J-15", "J-16", "J-20", "J-21", "J-22", "JWT-01", "JWT-02", "JWT-03", "JWT-04",
    "JWT-05", "JWT-08", "JWT-09", "JWT-10", "JWT-11", "JWT-12", "JWT-13", "JWT-15", "JWT-17", "JWT-18",
)  # fmt: skip
@pytest.mark.parametrize(("ehr", "reason", "make"), WRONG)
def test_a_wrong_token_is_refused_with_the_same_words_and_nothing_is_written_or_fetched_for_it(
    ehr: str,
    reason: str,
    make: Make,
    service: Service,
    ehrs: Mapping[str, Ehr],
    web: Web,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = make(ehrs[ehr], PATIENT_VIEW)
    with caplog.at_level(logging.WARNING, "myositis_cds.security"):
        response = service.call(bearer(made) if isinstance(made, str) else made)
    check_answer(response.status_code, response.headers, response.get_data())
    assert (response.status_code, response.get_data()) == (401, BODY)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert [line.split()[1] for line in lines(caplog) if "refused" in line] == [f"reason={reason}"]
    assert service.used == []
    assert set(web.asked) <= {ehr.jwks_url for ehr in ehrs.values()}


def test_the_table_shows_every_reason_but_those_that_need_more_than_a_token() -> None:
    elsewhere = {Reason.NOT_THIS_MACHINE, Reason.PUBLISHED_KEY, Reason.REPLAYED}
    assert {parameters.values[1] for parameters in WRONG} == {str(reason) for reason in Reason} - elsewhere


@pytest.mark.requirement("J-23", "L-3", "JWT-17")
def test_the_log_has_nothing_of_the_token(service: Service, ehrs: Mapping[str, Ehr], caplog: pytest.LogCaptureFixture) -> None:
    ehr = ehrs[HOSPITAL]
    with caplog.at_level(logging.DEBUG):
        for token in (
            ehr.forged(claims={"sub": "Dr-Canary"}, audience=PATIENT_VIEW),
            ehr.forged({"kid": "Canary"}, audience=PATIENT_VIEW),
        ):
            for _ in range(2):
                service.call(bearer(token))
    assert "reason=replayed client=hospital" in text(caplog)
    assert "reason=unknown-key client=hospital" in text(caplog)
    assert "Canary" not in caplog.text
    assert not any(part in caplog.text for part in token.split("."))
