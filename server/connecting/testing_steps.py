"""How to try a connection out, step by step."""

from server.connecting.sheet import Sheet

SENT = "Send it: one card comes back."
SENT_IN_SHADOW = "Send it: no card comes back, in shadow mode; `myositis-cds report shadow` counts it."


def steps(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """What to do, and the line that does it, in order.

    Args:
        sheet: for whom.
    """
    first = sheet.services[0]
    client = f" --client {sheet.client}" if sheet.client else ""
    token = " -H 'Authorization: Bearer TOKEN'" if sheet.tokens.needed else ""
    json = " -H 'Content-Type: application/json'"
    return (
        ("Is the service there?", f"curl -fsS {sheet.public_url}/health/ready"),
        ("Does it list its services?", f"curl -fsS{token} {sheet.public_url}/cds-services"),
        ("Write the example call into a file.", f"myositis-cds connect{client} --example {first.id} > call.json"),
        (SENT_IN_SHADOW if sheet.is_in_shadow else SENT, f"curl -sS{token}{json} --data @call.json {first.url}"),
        ("What would fail, and why, on our side?", f"myositis-cds doctor{client}"),
        (
            "Take one call of the EHR as it was sent, and see what becomes of it.",
            f"myositis-cds doctor{client} --request call.json",
        ),
    )
