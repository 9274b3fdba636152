#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares docs/openapi.yaml and docs/problems.yaml with the sources: reference.py FACT prints what does not agree.

The order of things in files is never looked at; what a table of the sources holds is read by its pattern.
"""

import pathlib
import re
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]

# Codes that the document knows and the sources do not have yet, each with the reason.  Emptied as they come.
NOT_BUILT = {}


def text(path):
    return (TOP / path).read_text(encoding="utf-8")


def load(path):
    return yaml.safe_load(text(path))


def api_problems():
    """code: (status, title) of src/codec/problem.c."""
    rows = re.findall(r'\[PROBLEM_\w+\]\s*=\s*\{\s*"(\w+)",\s*"([^"]*)",\s*(\d+)', text("src/codec/problem.c"))
    return {code: (int(status), title) for code, title, status in rows}


def nginx_problems():
    """The same of the tables in nginx/upstream.conf.in, and of what its other files write out."""
    tables = {}
    for name in ("code", "title"):
        body = re.search(r"map \$status \$sayhook_problem_" + name + r" \{(.*?)\n\}", text("nginx/upstream.conf.in"), re.S)[1]
        tables[name] = {key: value.strip('"') for key, value in re.findall(r'(\w+)\s+("[^"]*"|\w+);', body)}
    found = {}
    for key, code in tables["code"].items():
        found[code] = (500 if key == "default" else int(key), tables["title"][key])
    for body in re.findall(r"'(\{\"type\".*?\})\\n'", text("nginx/site.conf.in")):
        found[re.search(r'"code":"(\w+)"', body)[1]] = (
            int(re.search(r'"status":(\d+)', body)[1]),
            re.search(r'"title":"([^"]*)"', body)[1],
        )
    return found


def every_problem_has_a_page():
    pages = {code: (row["status"], row["title"]) for code, row in load("docs/problems.yaml").items()}
    for name, problems in (("src/codec/problem.c", api_problems()), ("nginx/", nginx_problems())):
        if not problems:
            yield f"no table was found in {name}"
        for code, row in problems.items():
            if code not in pages:
                yield f"{code} of {name} has no row in docs/problems.yaml"
            elif pages[code] != row:
                yield f"{code}: {name} says {row}, docs/problems.yaml {pages[code]}"
    known = set(api_problems()) | set(nginx_problems())
    for code in sorted(set(pages) - known - set(NOT_BUILT)):
        yield f"{code} of docs/problems.yaml is in no source"
    for code in sorted(set(NOT_BUILT) & set(api_problems())):
        yield f"{code} is built: strike it from NOT_BUILT in {__file__}"


def every_page_says_what_to_do():
    for code, row in load("docs/problems.yaml").items():
        if sorted(row) != ["do", "means", "status", "title"] or not all(row.values()):
            yield f"{code} has {sorted(row)}"


def schemas():
    return load("docs/openapi.yaml")["components"]["schemas"]


def differ(what, documented, real):
    documented, real = set(documented), set(real)
    for name in sorted(documented ^ real):
        yield f"{what} {name} is {'not documented' if name in real else 'documented, and in no source'}"


def problem_codes_are_documented():
    yield from differ("problem code", schemas()["ProblemCode"]["enum"], load("docs/problems.yaml"))


def answers_have_the_codes_of_their_status():
    pages = load("docs/problems.yaml")
    for name, response in load("docs/openapi.yaml")["components"]["responses"].items():
        content = response.get("content", {}).get("application/problem+json")
        if content is None:
            continue
        rule = next(part["properties"] for part in content["schema"]["allOf"] if "properties" in part)
        example = content.get("example", {})
        if example.get("code") not in rule["code"]["enum"] or example.get("title") != pages[example["code"]]["title"]:
            yield f"{name} has no example with the title of its code"
        for code in rule["code"]["enum"]:
            if pages[code]["status"] != rule["status"]["const"]:
                yield f"{name}: {code} is a {pages[code]['status']}"


def fault_codes_are_documented():
    sources = "".join(text(path) for path in ("src/codec/request.c", "src/api/job_list.c", "src/api/query.c"))
    calls = re.findall(r"(?:query_fault|fault_add)\((.*?)\);", sources, re.S)
    real = set()
    for call in calls:
        real |= set(re.findall(r'"([a-z]+_[a-z_]+)"', call))
    yield from differ("fault code", schemas()["FaultCode"]["enum"], real)


def delivery_errors_are_documented():
    real = re.findall(r'#define DELIVERY_\w+\s+"(\w+)"', text("src/webhook/sender.h"))
    yield from differ("delivery error", schemas()["DeliveryError"]["properties"]["code"]["enum"], real)


def names_are_documented():
    """Names of the tables in src/job/job.c."""
    for schema, table in (("JobStatus", "JOB"), ("EventType", "EVENT"), ("AudioFormat", "AUDIO")):
        real = re.findall(r"\[" + table + r'_\w+\]\s*=\s*\{?\s*"([\w.]+)"', text("src/job/job.c"))
        yield from differ(schema, schemas()[schema]["enum"], real)


def files_of_nginx():
    """What matches the address of a file that nginx serves by itself."""
    return re.compile(re.search(r'location ~ "([^"]+)" \{\s+root @SITE_DIR@', text("nginx/locations.conf.in"))[1])


def routes_are_documented():
    documented = {
        (method.upper(), re.sub(r"\{.*?\}(\.\w+)?", "*", path))
        for path, item in load("docs/openapi.yaml")["paths"].items()
        for method in item
        if method in ("get", "post", "delete", "put", "patch")
    }
    real = set(re.findall(r'ROUTE\("(\w+)", "(/[^"]*)"\)', text("src/job/http.c")))
    real |= {(method, path) for method, path in documented if method == "GET" and files_of_nginx().match(path)}
    yield from differ("route", map(" ".join, documented), map(" ".join, real))
    if len(real) < 10:
        yield "the table of routes was not found in src/job/http.c"


def statuses_have_a_name():
    """What problems and handlers answer with is in the table that replies and metrics read."""
    named = set(re.findall(r"\bSTATUS\((\d{3}), ", text("src/job/http.c")))
    used = {str(status) for status, _ in api_problems().values()}
    for path in (TOP / "src/api").glob("*.c"):
        for found in re.findall(r"->status = (\d{3})\b|reply_json\(\w+, (\d{3})\)", path.read_text(encoding="utf-8")):
            used |= set(filter(None, found))
    for status in sorted(used - named):
        yield f"src/job/http.c does not know {status}, which the API answers with"
    for status in sorted(named - used):
        yield f"nothing answers with {status} of src/job/http.c"


def version_is_the_programs():
    real = re.search(r"AC_INIT\(\[sayhook\], \[([\d.]+)\]", text("configure.ac"))[1]
    told = load("docs/openapi.yaml")["info"]["version"]
    if told != real:
        yield f"docs/openapi.yaml is of version {told}, the program of {real}"


if __name__ == "__main__":
    for line in globals()[sys.argv[1]]():
        print(line)
