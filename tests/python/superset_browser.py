"""Opens the dashboards of a Superset in Chromium and writes down what it sees.

Run by test_superset.py in Superset's environment, which has Playwright:

    superset_browser.py CHROMIUM URL PASSWORD_FILE FOLDER

It writes FOLDER/seen.json and a picture of each dashboard.
"""

import json
import sys
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Response, sync_playwright

PATIENCE = 120_000  # milliseconds, for one thing to happen
ERRORS = "[role=alert], .ant-alert-error, .ant-result-error, .missing-chart"
LOADING = "[data-test=loading-indicator], .loading"
CHARTS = "[data-test=chart-grid-component]"
BOTTOM = """() => Math.max(...[...document.querySelectorAll(
    '.dashboard-component-chart-holder')].map(e => e.getBoundingClientRect().bottom))"""


def log_in(page: Page, url: str, password: str) -> None:
    """Log in as a person does."""
    page.goto(f"{url}/login/")
    page.fill("input#username", "admin")
    page.fill("input#password", password)
    page.press("input#password", "Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def result(context: BrowserContext, address: str) -> list | dict:
    """Ask Superset's API, as the page's user."""
    answer = context.request.get(address, timeout=PATIENCE)
    assert answer.ok, f"{address}: {answer.status} {answer.text()}"
    return answer.json()["result"]


def look(context: BrowserContext, url: str, board: str, picture: Path) -> dict:
    """Open a dashboard; tell what went wrong and what each chart's query answered."""
    names = {
        chart["id"]: chart["slice_name"]
        for chart in result(context, f"{url}/api/v1/dashboard/{board}/charts")
    }
    seen: dict = {"charts": {}, "errors": [], "outside": [], "names": [*names.values()]}
    page = context.new_page()

    def on_response(response: Response) -> None:
        if "/api/v1/chart/data" not in response.url:
            return
        asked = json.loads(response.request.post_data or "{}")
        chart = asked.get("form_data", {}).get("slice_id")
        if chart not in names:  # the values of a filter
            return
        answer = response.json()
        seen["charts"][names[chart]] = {
            "http": response.status,
            "filters": asked["queries"][0]["filters"],
            "answers": [
                {key: each.get(key) for key in ("status", "error", "rowcount", "data")}
                for each in answer.get("result", [])
            ],
            "message": answer.get("message"),
        }

    page.on("response", on_response)
    page.on("pageerror", lambda error: seen["errors"].append(str(error)))
    page.on(
        "console",
        lambda said: said.type == "error" and seen["errors"].append(said.text),
    )
    page.on(
        "requestfinished",
        lambda request: (
            request.url.startswith((url, "data:", "blob:"))
            or seen["outside"].append(request.url)
        ),
    )
    page.goto(f"{url}/superset/dashboard/{board}/")
    page.wait_for_function(
        "([chart, count]) => document.querySelectorAll(chart).length == count",
        arg=[CHARTS, len(names)],
    )
    limit = time.monotonic() + PATIENCE / 1000
    while len(seen["charts"]) < len(names) and time.monotonic() < limit:
        page.wait_for_timeout(100)  # lets Playwright hand over the answers
    page.wait_for_function("loading => !document.querySelector(loading)", arg=LOADING)
    seen["alerts"] = page.locator(ERRORS).all_inner_texts()
    seen["text"] = page.locator("body").inner_text()
    page.screenshot(
        path=picture,
        animations="disabled",
        clip={"x": 0, "y": 0, "width": 1280, "height": page.evaluate(BOTTOM) + 16},
    )
    page.close()
    return seen


def main(chromium: str, url: str, password_file: str, folder: str) -> None:
    """Look at all dashboards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        # high enough for every dashboard: what is out of sight is not in the picture
        context = browser.new_context(viewport={"width": 1280, "height": 2800})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        log_in(page, url, Path(password_file).read_text())
        page.close()
        boards = result(context, f"{url}/api/v1/dashboard/?q=(page_size:100)")
        seen = {
            board["slug"]: look(
                context, url, board["slug"], Path(folder) / f"{board['slug']}.png"
            )
            for board in boards
        }
        browser.close()
    (Path(folder) / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
