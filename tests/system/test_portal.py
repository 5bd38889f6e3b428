"""The developer portal in a real headless Chromium, through the edge, at a laptop's width and at a phone's."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dev.clients.workshop import open_workshop
from tests.dev.traces.test_page import ARGUMENTS, CHROMIUM, INSTALL, LAPTOP, PHONE, WAIT_MS, assert_fits
from tests.system.running import Running

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.node]

PAGES: Final = ("/portal/", "/portal/mobile", "/portal/web", "/portal/web/graphiql")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing: {INSTALL}")
        pytest.skip(f"{CHROMIUM} is not here; to run this test: {INSTALL}")
    open_workshop()  # GraphiQL's files, which the portal would fetch at the first visit
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield one
        one.close()


@pytest.fixture(params=[LAPTOP, PHONE], ids=["1280", "390"])
def page(request: pytest.FixtureRequest, browser: Browser, running: Running) -> Iterator[Page]:
    """A page of each width: nothing on its console, and no request to anybody but the edge."""
    width, height = request.param
    # The local CA is not among Chromium's; that the certificate is right, every other test of the edge says.
    context = browser.new_context(
        viewport={"width": width, "height": height}, base_url=running.edge, ignore_https_errors=True
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(WAIT_MS)
    one = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    one.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    one.on("pageerror", lambda error: said.append(str(error)))
    one.on("request", lambda request: asked.append(request.url))
    yield one
    context.close()
    assert said == []
    elsewhere = [url for url in asked if not url.startswith((f"{running.edge}/", "data:"))]
    assert elsewhere == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_and_says_nothing_on_its_console(page: Page, path: str) -> None:
    """No wider than its window, at both widths."""
    page.goto(path)
    expect(page.locator("#copy-token")).to_be_enabled()
    if path.endswith("graphiql"):
        expect(page.locator(".graphiql-container")).to_be_visible()
    else:
        expect(page.locator("h1")).to_be_visible()
    assert_fits(page)


def test_from_the_home_page_to_an_answer_and_its_trace(page: Page, running: Running) -> None:
    """A surface's card, its operation with who may call it and how often, a call made, its trace a click away."""
    page.goto("/portal/")
    card = page.locator(".card", has_text="Mobile")
    expect(card).to_contain_text("limits: per-client, per-user")
    route = page.locator(".routes tr", has_text="mobile.v1").filter(has_not_text="mobile.v1-changes")
    expect(route).to_contain_text("customers")
    card.get_by_role("link", name="Reference").click()

    operation = page.locator("#get_dashboard")
    expect(operation.locator(".ways")).to_contain_text("per-user 1200 per 60s and subject")
    expect(operation.locator(".ways")).to_contain_text("customers (verify")
    expect(operation).to_contain_text("recentOrders")
    operation.get_by_role("button", name="Send").click()

    expect(operation.locator(".answer .status")).to_have_text("200")
    expect(operation.locator(".answer pre")).to_contain_text('"displayName": "Ada"')
    trace = operation.locator(".answer a").get_attribute("href")
    assert trace is not None
    assert trace.startswith(f"{running.traces}/trace/")
    assert len(trace.rpartition("/")[2]) == 32


def test_a_copied_call_runs_as_it_was_pasted(page: Page) -> None:
    """With the token of whoever is signed in, this copy's address and its CA."""
    page.goto("/portal/mobile")
    page.locator("#user").select_option("u-2")
    expect(page.locator("#copy-token")).to_be_enabled()
    example = page.locator("#get_profile .example")
    expect(example.locator("code").first).to_contain_text("$TOKEN")
    example.get_by_role("button", name="Copy").click()
    expect(example.get_by_role("button", name="Copied")).to_be_visible()
    pasted = page.evaluate("navigator.clipboard.readText()")

    done = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, timeout=30, check=False)
    assert '"userId":"u-2"' in done.stdout, done.stderr


def test_a_graph_is_told_field_by_field_and_asked(page: Page) -> None:
    """Each root field with an operation that the graph takes, and its types behind links."""
    page.goto("/portal/web")
    field = page.locator("#query-viewer")
    expect(field.locator(".ways")).to_contain_text("customers (verify")
    field.get_by_role("button", name="Send").click()
    expect(field.locator(".answer pre")).to_contain_text('"displayName": "Ada"')
    expect(page.locator("#Order .members")).to_contain_text("amount")


def test_graphiql_has_the_bearer_and_asks_with_it(page: Page) -> None:
    """Opened by the BFF's own address, as browsers do; the answer comes without anybody typing a header."""
    page.goto("/web/graphql")
    assert page.url.endswith("/portal/web/graphiql")
    page.locator(".graphiql-execute-button").click()
    expect(page.locator(".graphiql-response")).to_contain_text("Ada")
    page.get_by_role("button", name="Headers").click()
    expect(page.locator(".graphiql-editor-tool")).to_contain_text("Bearer ey")
