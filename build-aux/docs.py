#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes what is served under /docs/ and beside it, from docs/openapi.yaml and docs/problems.yaml.

    docs.py site SOURCE OUT        OUT/openapi.json, OUT/openapi.yaml, OUT/docs/index.html, OUT/docs/problems/…
    docs.py reference PAGE BUNDLE OUT
                                   the page of `redocly build-docs`, with its script inside and nothing from elsewhere

SOURCE is the folder docs/ of the source tree.  Nothing in the output depends on time or place.
"""

import base64
import hashlib
import html
import json
import pathlib
import re
import sys

STYLE = """
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; color: #222; background: #fff; }
h1 { font-size: 1.5rem; } code { font-size: 0.95em; } td { padding: 0.1rem 1rem 0.1rem 0; vertical-align: top; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } a { color: #8bf; } }
"""


def page(title, body):
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def problem_page(code, problem):
    title = html.escape(problem["title"])
    return page(
        f"{problem['title']} ({code})",
        f"<h1>{title}</h1>\n"
        f"<p>Status <code>{problem['status']}</code>, code <code>{code}</code></p>\n"
        f"<h2>What it means</h2>\n<p>{html.escape(problem['means'])}</p>\n"
        f"<h2>What to do</h2>\n<p>{html.escape(problem['do'])}</p>\n"
        '<p><a href="/docs/problems/">All problems</a> · <a href="/docs/">The API</a></p>\n',
    )


def problem_list(problems):
    rows = "".join(
        f'<tr><td>{problem["status"]}</td><td><a href="/docs/problems/{code}"><code>{code}</code></a></td>'
        f'<td>{html.escape(problem["title"])}</td></tr>\n'
        for code, problem in sorted(problems.items(), key=lambda item: (item[1]["status"], item[0]))
    )
    return page(
        "The problems of Sayhook",
        "<h1>Problems</h1>\n<p>Every error is <code>application/problem+json</code>; its <code>type</code> leads to one "
        f'of these pages.</p>\n<table>\n{rows}</table>\n<p><a href="/docs/">The API</a></p>\n',
    )


def index(document):
    rows = "".join(
        f"<tr><td><code>{method.upper()} {html.escape(path)}</code></td><td>{html.escape(item[method]['summary'])}</td></tr>\n"
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "put", "post", "delete", "patch")
    )
    return page(
        "Sayhook",
        f"<h1>{html.escape(document['info']['title'])}</h1>\n<p>{html.escape(document['info']['summary'])}</p>\n"
        '<p>The API is described by its OpenAPI document, <a href="/openapi.yaml">as YAML</a> and '
        '<a href="/openapi.json">as JSON</a>; every OpenAPI tool can show it. This is the short page of a build without '
        'the reference, which <code>make docs</code> makes, by way of npm. '
        'There is a page for <a href="/docs/problems/">each problem</a>.</p>\n'
        f"<h2>The calls</h2>\n<table>\n{rows}</table>\n",
    )


def make_site(source, out):
    import yaml  # here, so that `reference` does without

    source, out = pathlib.Path(source), pathlib.Path(out)
    text = (source / "openapi.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    problems = yaml.safe_load((source / "problems.yaml").read_text(encoding="utf-8"))
    files = {
        "openapi.yaml": text,
        "openapi.json": json.dumps(document, ensure_ascii=False, indent=1) + "\n",
        "docs/index.html": index(document),
        "docs/problems/index.html": problem_list(problems),
    }
    files.update({f"docs/problems/{code}.html": problem_page(code, problem) for code, problem in problems.items()})
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(content, encoding="utf-8")


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def replace_once(text, pattern, replacement):
    text, count = re.subn(pattern, lambda _: replacement, text)
    if count != 1:
        sys.exit(f"docs.py: {count} places in the page match {pattern}, not 1: this is another version of Redoc")
    return text


def make_reference(page_path, bundle_path, out):
    text = pathlib.Path(page_path).read_text(encoding="utf-8")
    bundle = pathlib.Path(bundle_path).read_text(encoding="utf-8")
    # The one picture that Redoc gets from elsewhere, in the line that says who made it.
    bundle = replace_once(bundle, r'"https://cdn\.redoc\.ly/redoc/logo-mini\.svg"', '"data:,"')
    bundle = bundle.replace("</script", "<\\/script")
    # What was rendered here is what readers without scripts see.  Redoc's bundle renders other markup than its server
    # side (React's errors 418 and 423), so it starts afresh instead of taking that over.
    text = replace_once(
        text,
        r"Redoc\.hydrate\(__redoc_state, container\);",
        'container.textContent = ""; Redoc.init(__redoc_state.spec.data, __redoc_state.options, container);',
    )
    # Only these scripts may run: the page's own policy, narrower than the server's.
    scripts = [bundle] + re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = (
        f"default-src 'none'; script-src {' '.join(digest(script) for script in scripts)}; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    text = replace_once(text, "<head>", f'<head>\n  <meta http-equiv="Content-Security-Policy" content="{policy}">')
    text = replace_once(text, "<html>", '<html lang="en">')
    text = replace_once(text, r'<script src="https://cdn[^"]*"></script>', f"<script>{bundle}</script>")
    pathlib.Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "site":
        make_site(*sys.argv[2:])
    elif len(sys.argv) == 5 and sys.argv[1] == "reference":
        make_reference(*sys.argv[2:])
    else:
        sys.exit(__doc__)
