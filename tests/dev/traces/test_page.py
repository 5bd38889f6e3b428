"""The page in a real headless Chromium, at a laptop's width and at a phone's."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.dev.traces.conftest import Viewer
from tests.dev.traces.samples import dashboard, export, healthy, span

pytestmark = pytest.mark.browser

CHROMIUM: Final = "/usr/bin/chromium"
INSTALL: Final = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core"
ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
LAPTOP: Final = (1280, 800)
PHONE: Final = (390, 844)
WAIT_MS: Final = 15_000  # a busy machine is slow, not wrong
expect.set_options(timeout=WAIT_MS)
SECRET_SCRIPT: Final = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing: {INSTALL}")
        pytest.skip(f"{CHROMIUM} is not here; to run this test: {INSTALL}")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield one
        one.close()


@pytest.fixture(params=[LAPTOP, PHONE], ids=["1280", "390"])
def page(request: pytest.FixtureRequest, browser: Browser, viewer: Viewer) -> Iterator[Page]:
    """A page of each width, which must end without an error on its console."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=viewer.url)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(WAIT_MS)
    one = context.new_page()
    said: list[str] = []
    one.on("console", lambda message: _note(said, message))
    one.on("pageerror", lambda error: said.append(str(error)))
    yield one
    context.close()
    assert said == []


def _note(said: list[str], message: ConsoleMessage) -> None:
    if message.type in {"error", "warning"}:
        said.append(message.text)


def sent(viewer: Viewer, *, make=dashboard) -> str:
    trace_id = uuid4().hex
    viewer.send(make(trace_id, time.time_ns()))
    return trace_id


def assert_fits(page: Page) -> None:
    """Nothing makes the page wider than its window."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_from_the_list_to_the_waterfall(page: Page, viewer: Viewer) -> None:
    """The list says what went wrong; one click shows where the time went."""
    trace_id = sent(viewer)
    page.goto("/")
    line = page.locator(f'a[href="/trace/{trace_id}"]')
    expect(line).to_contain_text("GET /mobile/v1/dashboard")
    expect(line).to_contain_text("degraded recentOrders")
    expect(line).to_contain_text("3 failed")
    expect(line).to_contain_text("907.0 ms")
    assert_fits(page)

    line.click()

    expect(page).to_have_url(f"{viewer.url}/trace/{trace_id}")
    expect(page.locator("h1")).to_have_text("GET /mobile/v1/dashboard")
    expect(page.locator(".facts")).to_contain_text("deadline 900 ms, 0.6 ms to spare")
    expect(page.locator(".box.warn")).to_contain_text("recentOrders: deadline, the default stands in")
    expect(page.locator(".row")).to_have_count(12)
    for row in page.locator(".row").all():
        assert row.is_visible()
        assert row.locator(".bar").bounding_box()["width"] >= 3
    expect(page.locator(".row", has_text="GET orders #1")).to_contain_text("retried")
    expect(page.locator(".row", has_text="GET orders #2")).to_contain_text("cancelled")
    assert_fits(page)


def test_bars_and_the_deadline_are_where_their_time_is(page: Page, viewer: Viewer) -> None:
    """To the pixel: the deadline at 902.2 of 907 ms in every row, each bar from its start to its end."""
    page.goto(f"/trace/{sent(viewer)}")
    rows = page.locator(".row")
    expect(rows).to_have_count(12)

    places = []
    for row in rows.all():
        track, line = row.locator(".track").bounding_box(), row.locator(".deadline").bounding_box()
        places.append(line["x"] + line["width"] / 2)
        assert places[-1] == pytest.approx(track["x"] + track["width"] * 902.2 / 907, abs=1)
        assert line["height"] >= track["height"]
    assert max(places) - min(places) < 0.5

    second = page.locator(".row", has_text="GET orders #2")
    track, bar = second.locator(".track").bounding_box(), second.locator(".bar").bounding_box()
    assert bar["x"] == pytest.approx(track["x"] + track["width"] * 440 / 907, abs=1)
    assert bar["width"] == pytest.approx(track["width"] * 460 / 907, abs=1)
    assert page.locator(".flag").bounding_box()["x"] >= 0


def test_the_keyboard_walks_and_opens(page: Page, viewer: Viewer) -> None:
    """Arrows move, Enter opens, left closes and then climbs, one row is in the tab order, the focus is seen."""
    page.goto(f"/trace/{sent(viewer)}")
    expect(page.locator('.row[tabindex="0"]')).to_have_count(1)
    page.locator(".row").first.focus()
    focused = page.locator(".row:focus")

    page.keyboard.press("End")
    expect(focused).to_contain_text("GET alerts #2")
    page.keyboard.press("ArrowUp")
    expect(focused).to_contain_text("GET alerts #1")
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(focused).to_have_attribute("aria-expanded", "true")
    details = page.locator("li:has(.row:focus) .details")
    expect(details).to_contain_text("frontage.backend")
    expect(details).to_contain_text("503")
    assert_fits(page)
    page.keyboard.press("ArrowLeft")
    expect(details).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(focused).to_contain_text("alerts")
    expect(focused).to_have_class("row section")
    page.keyboard.press("Home")
    expect(focused).to_contain_text("edge GET /mobile/{**rest}")
    expect(page.locator('.row[tabindex="0"]')).to_have_count(1)


def test_what_a_span_says_is_text(page: Page, viewer: Viewer) -> None:
    """Markup in a name, a service, a key or a value is shown as it is, and nothing of it runs."""
    trace_id = uuid4().hex
    one = span(
        *(1, 0, SECRET_SCRIPT, 0, 5, "server"), trace_id=trace_id, at_ns=time.time_ns(),
        frontage__degraded=f"{SECRET_SCRIPT}:timeout:default", **{SECRET_SCRIPT: SECRET_SCRIPT},
    )  # fmt: skip
    viewer.send(export(**{SECRET_SCRIPT: [one]}))

    page.goto("/")
    expect(page.locator(f'a[href="/trace/{trace_id}"] b')).to_have_text(SECRET_SCRIPT)
    assert_fits(page)
    page.goto(f"/trace/{trace_id}")
    page.locator(".row").click()

    expect(page.locator("h1")).to_have_text(SECRET_SCRIPT)
    expect(page.locator(".row .name")).to_have_text(f"{SECRET_SCRIPT} {SECRET_SCRIPT}")
    expect(page.locator(".details dd", has_text=SECRET_SCRIPT).first).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert "Traces" in page.title()
    assert_fits(page)


def test_a_trace_that_grows_is_followed(page: Page, viewer: Viewer) -> None:
    """The edge's span comes later: it appears by itself, and what was open stays open."""
    trace_id = sent(viewer, make=healthy)
    page.goto(f"/trace/{trace_id}")
    expect(page.locator(".growing")).to_be_visible()
    page.locator(".row").nth(2).click()
    expect(page.locator(".details")).to_contain_text("users")

    viewer.send(export(edge=[span(99, 0, "ingress", -1, 30, "server", trace_id=trace_id, at_ns=time.time_ns())]))

    expect(page.locator(".row", has_text="ingress")).to_be_visible()
    expect(page.locator(".row")).to_have_count(8)
    expect(page.locator(".details")).to_contain_text("users")
    expect(page.locator(".row:focus")).to_contain_text("GET users")


def test_the_trace_id_can_be_copied(page: Page, viewer: Viewer) -> None:
    """One click, and the button says so."""
    trace_id = sent(viewer)
    page.goto(f"/trace/{trace_id}")
    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == trace_id


def test_the_list_can_be_narrowed(page: Page, viewer: Viewer) -> None:
    """By service and to what went wrong; the address keeps the choice; an empty result says why."""
    good, bad = sent(viewer, make=healthy), sent(viewer)
    page.goto("/")
    expect(page.locator(f'a[href="/trace/{good}"]')).to_be_visible()

    page.get_by_label("Only degraded or failed").check()
    expect(page.locator(f'a[href="/trace/{good}"]')).to_have_count(0)
    expect(page.locator(f'a[href="/trace/{bad}"]')).to_be_visible()
    page.get_by_label("Service").select_option("edge")
    expect(page).to_have_url(f"{viewer.url}/search?service=edge&problems=")
    page.reload()
    expect(page.get_by_label("Service")).to_have_value("edge")
    expect(page.locator(f'a[href="/trace/{bad}"]')).to_be_visible()
    page.goto("/search?service=nobody")
    expect(page.locator(".empty")).to_contain_text("Nothing fits")


def test_a_malformed_id_is_told(browser: Browser, viewer: Viewer) -> None:
    """And an unknown one is looked for again, in case it is on its way."""
    page = browser.new_page(base_url=viewer.url)
    page.goto("/")
    page.get_by_label("Open a trace by its id").fill("nonsense!")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Not a trace id")
    late = uuid4().hex
    page.goto(f"/trace/{late}")
    expect(page.locator("h1")).to_have_text("No such trace")
    expect(page.locator("main")).to_contain_text("looking again")

    viewer.send(dashboard(late, time.time_ns()))

    expect(page.locator(".row")).to_have_count(12)
    page.close()


def test_an_empty_viewer_says_what_to_do(browser: Browser, starting) -> None:
    """The first thing a newcomer sees is the next step."""
    page = browser.new_page(base_url=starting().url, viewport={"width": PHONE[0], "height": PHONE[1]})
    page.goto("/")
    expect(page.locator(".empty")).to_contain_text("No traces yet")
    expect(page.locator(".empty")).to_contain_text("curl")
    assert_fits(page)
    page.close()


def test_two_thousand_rows_can_be_walked(browser: Browser, viewer: Viewer) -> None:
    """The largest trace that is kept opens, and its last row is one key away."""
    trace_id, at_ns = uuid4().hex, time.time_ns()
    spans = [span(1, 0, "GET /x", 0, 1_999, "server", trace_id=trace_id, at_ns=at_ns)]
    spans += [
        span(number, 1, f"step {number}", number - 1, 1, "internal", trace_id=trace_id, at_ns=at_ns)
        for number in range(2, 2_001)
    ]
    viewer.send(export(mobile=spans))
    page = browser.new_page(base_url=viewer.url)
    page.goto(f"/trace/{trace_id}")
    page.locator(".row").first.focus()
    page.keyboard.press("End")

    expect(page.locator(".row:focus")).to_contain_text("step 2000")
    assert page.locator(".row").count() == 2_000
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_light_and_dark(browser: Browser, viewer: Viewer, scheme: str) -> None:
    """Every text has a contrast of at least 4.5 to 1 against what is behind it (WCAG AA)."""
    page = browser.new_page(base_url=viewer.url, color_scheme=scheme)
    page.goto(f"/trace/{sent(viewer)}")
    page.locator(".row").nth(7).click()
    poor = page.evaluate(CONTRAST)
    page.close()

    assert poor == []


CONTRAST: Final = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!words || !element.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


def test_the_policy_of_the_page_holds(browser: Browser, viewer: Viewer) -> None:
    """Even a script that got into the document would not run."""
    page = browser.new_page(base_url=viewer.url)
    said: list[str] = []
    page.on("console", lambda message: _note(said, message))
    page.goto("/")
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
    }""")
    page.wait_for_function("document.querySelector('main').ariaBusy === null")

    assert "owned" not in page.title()
    assert any("Content Security Policy" in one for one in said)
    page.close()
