# SPDX-License-Identifier: Apache-2.0
"""/docs/ in a browser: the reference shows every call, and asks nobody else for anything."""

import shutil

from browser import Browser
from product import BUILD, Skip, check, contract, equal, wait_for

REFERENCE = BUILD / "docs" / "site" / "docs" / "reference.html"


def opened(client, target):
    if not shutil.which("chromium"):
        raise Skip("chromium is not installed")
    browser = Browser()
    browser.open(client.url + target)
    return browser


def check_own_origin(browser, client):
    for url in browser.requests():
        check(url.startswith((client.url + "/", "data:", "blob:" + client.url)), f"the page asks for {url[:200]}")
    equal(browser.complaints(), [], "what the browser complains of")


def test_the_reference_shows_every_call_and_asks_nobody_else(client):
    if not REFERENCE.exists():
        raise Skip("the reference is not built: `make docs` needs npm and a network")
    if not contract:
        raise Skip("python3-jsonschema or python3-yaml is not installed")
    browser = opened(client, "/docs/")
    try:
        for _, _, operation in contract.document.operations():
            anchor = f'document.querySelector(\'[id$="operation/{operation["operationId"]}"]\')'
            wait_for(f"{operation['operationId']} to be shown", lambda: browser.evaluate(f"!!{anchor}"))
            shown = browser.evaluate(f"{anchor}.innerText")
            check(operation["summary"] in shown, f"{operation['summary']} is not in {shown[:200]!r}")
        for item in contract.document.raw["webhooks"].values():
            check(item["post"]["summary"] in browser.evaluate("document.body.innerText"), "a webhook is not shown")
        check(browser.evaluate("typeof Redoc") == "object", "the scripts of the page did not run")
        check_own_origin(browser, client)
    finally:
        browser.close()


def test_the_policy_of_the_pages_lets_nothing_in_from_elsewhere(client):
    browser = opened(client, "/docs/problems/")
    try:
        # With the address of a port where somebody listens: but for the policy it would be asked.
        other = client.url.replace("127.0.0.1", "localhost")
        for kind in ("img", "script", "iframe"):
            refused = browser.evaluate(
                "new Promise(done => {"
                " document.addEventListener('securitypolicyviolation', event => done(event.blockedURI), {once: true});"
                f" const part = document.createElement('{kind}'); part.src = '{other}/docs/?{kind}';"
                " document.body.append(part); setTimeout(() => done('nothing'), 20000); })"
            )
            check(str(refused).startswith(other), f"refused for {kind}: {refused}")
    finally:
        browser.close()


def test_a_problem_page_can_be_read(client):
    browser = opened(client, "/docs/problems/invalid_json")
    try:
        shown = browser.evaluate("document.body.innerText")
        for words in ("The body is not JSON", "invalid_json", "What to do"):
            check(words in shown, f"{words!r} is not shown")
        check_own_origin(browser, client)
    finally:
        browser.close()
