"""What the control service exposes is what ``docs/metrics.md`` says, name for name."""

from tests.metrics_page import misfits, read_page, scraped


def test_the_control_service_exposes_what_the_page_says_and_nothing_else(control, asking):
    """After a key that nobody knows."""
    with asking.client() as client:
        client.get("/keys/x", headers={"x-api-key": "fr_test_unknown"})
    sections = read_page().sections
    assert (
        misfits(scraped(control.get("/metrics").text), [*sections["Every service"], *sections["The control service"]])
        == []
    )
