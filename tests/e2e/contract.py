# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml as a judge: every answer that the end-to-end tests get, and every webhook, must be one that it
describes: a status of that path and method, its header fields, its body.

Objects are closed here: the document lets the server add members, and a test wants to know of each.
"""

import copy
import json
import pathlib
import re
import threading

import jsonschema
import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")

# Header fields that the document requires and the server does not send yet, each with the reason.  Emptied as they come.
MISSING_HEADERS = {}

# What any answer may carry, which the document says once for all: HTTP's own fields, and those of CORS and TLS.
EVERYWHERE = {
    "date", "server", "connection", "keep-alive", "content-type", "content-length", "transfer-encoding", "vary",
    "strict-transport-security", "allow", "access-control-allow-origin", "access-control-expose-headers", "x-request-id",
    "cache-control", "x-content-type-options",
}

# What any address may answer, there or not: errors of HTTP itself, and of a server that is not well.
ANYWHERE = {400, 413, 414, 429, 431, 500, 501, 502, 503, 504, 505}

# And with which fields.
ANY_PROBLEM = {
    "headers": {
        "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
        "RateLimit": {"$ref": "#/components/headers/RateLimitWhereCounted"},
        "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicyWhereCounted"},
        "Retry-After": {"$ref": "#/components/headers/RetryAfterWhileNotEnded"},
    }
}

# Everything that was not as documented, for the runner: a test may have been looking elsewhere.
violations = []


class Violation(AssertionError):
    """An answer is not as docs/openapi.yaml says."""


def close(schema, inside_all_of=False):
    """Objects with named members take no others."""
    if isinstance(schema, list):
        for item in schema:
            close(item, inside_all_of)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("properties"), dict) and not inside_all_of:
        schema.setdefault("additionalProperties", False)
    for name, part in schema.items():
        if name == "properties":
            for member in part.values():
                close(member)
        elif name not in ("example", "examples", "enum", "const", "default"):
            close(part, name == "allOf")


class Document:
    def __init__(self, path=DOCUMENT):
        self.raw = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.closed = copy.deepcopy(self.raw["components"]["schemas"])
        for schema in self.closed.values():
            close(schema)
        self.validators = {}
        self.lock = threading.Lock()  # a validator keeps its place in the document
        # The most literal first, so that {job_id}.json is not taken for a {job_id}.
        self.paths = sorted(self.raw["paths"], key=lambda path: -len(re.sub(r"\{.*?\}", "", path)))
        # A longer name is no parameter: such an address is not there, and no key is asked for.
        segment = "[^/]{1,64}"
        self.patterns = [(re.compile(re.sub(r"\\\{.*?\\\}", segment, re.escape(path)) + r"\Z"), path) for path in self.paths]

    def resolve(self, part):
        while "$ref" in part:
            found = self.raw
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name.replace("~1", "/").replace("~0", "~")]
            part = found
        return part

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            closed = copy.deepcopy(schema)
            close(closed)
            self.validators[key] = jsonschema.Draft202012Validator({**closed, "components": {"schemas": self.closed}})
        return self.validators[key]

    def faults(self, schema, value):
        """What is wrong with a value, in words."""
        with self.lock:
            errors = list(self.validator(schema).iter_errors(value))
        return [f"{'/'.join(map(str, e.absolute_path)) or 'the whole'}: {e.message[:300]}" for e in errors]

    def path_of(self, target):
        """The path of the document that a request's target is one of, or None."""
        path = re.sub("^https?://[^/]*", "", target).split("?")[0]
        return next((name for pattern, name in self.patterns if pattern.match(path)), None)

    def operation(self, method, path):
        """None where the document has no such method there; a HEAD is a GET."""
        return self.raw["paths"][path].get("get" if method == "HEAD" else method.lower())

    def operations(self):
        for path, item in self.raw["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def allowed(self, path):
        """The methods that Allow must name."""
        methods = {method.upper() for method in METHODS if method in self.raw["paths"][path]}
        return methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())


document = Document()


def parse(body):
    """JSON as RFC 8259 has it: no doubled name, no NaN."""

    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Violation(f"a doubled name among {names}")
        return dict(pairs)

    def refuse(word):
        raise Violation(f"{word} is no JSON")

    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=members, parse_constant=refuse)
    except ValueError as error:
        raise Violation(f"the body is no JSON: {error}: {body[:200]!r}") from None


def media_type(value):
    """Without a charset, which JSON does not have and text may have."""
    return re.sub(r";\s*charset=[^;]*", "", value or "", flags=re.IGNORECASE)


def check_headers(response, headers):
    for name, field in response.get("headers", {}).items():
        field = document.resolve(field)
        if name not in headers:
            if field.get("required") and name not in MISSING_HEADERS:
                raise Violation(f"no {name}")
            continue
        wrong = document.faults(field["schema"], headers[name])
        if wrong:
            raise Violation(f"{name}: {wrong}")
    named = {name.lower() for name in response.get("headers", {})}
    unnamed = {name.lower() for name in headers.keys()} - named - EVERYWHERE
    if unnamed:
        raise Violation(f"fields that are not documented: {', '.join(sorted(unnamed))}")


def check_body(response, method, headers, body):
    content = response.get("content", {})
    if not content or method == "HEAD":
        if body:
            raise Violation(f"a body where none belongs: {body[:200]!r}")
    if not content:
        return
    kind = media_type(headers.get("Content-Type"))
    # The boundary of a part of parts is of this answer alone.
    described = content.get("multipart/byteranges" if kind.startswith("multipart/byteranges") else kind)
    if described is None:
        raise Violation(f"Content-Type is {kind!r}; documented: {', '.join(content)}")
    if method != "HEAD" and kind.endswith("json") and "schema" in described:
        wrong = document.faults(described["schema"], parse(body))
        if wrong:
            raise Violation(f"the body: {wrong}: {body[:600]!r}")


def check_problem(headers, body, method):
    """An error that no operation describes, such as a 404 of an address that is not there."""
    check_headers(ANY_PROBLEM, headers)
    schema = {"$ref": "#/components/schemas/Problem"}
    check_body({"content": {"application/problem+json": {"schema": schema}}}, method, headers, body)


def check_other_method(method, path, status, headers, body):
    """What the document says of every path at once: OPTIONS, and methods that a path does not take."""
    if method == "OPTIONS" and status == 204:
        if body:
            raise Violation("a 204 with a body")
    elif status == 405 and method != "OPTIONS":
        response = document.raw["components"]["responses"]["MethodNotAllowed"]
        check_headers(response, headers)
        check_body(response, method, headers, body)
    elif status in ANYWHERE:
        check_problem(headers, body, method)
        return
    else:
        raise Violation("neither 405, nor an error that any request may meet")
    named = set(re.split(r",\s*", headers.get("Allow", "")))
    if named != document.allowed(path):
        raise Violation(f"Allow is {sorted(named)}; documented: {sorted(document.allowed(path))}")


def check_request_id(sent, status, headers, body, method):
    told = headers.get("X-Request-Id")
    # A header section that cannot be read has no id in it, either.
    if sent is not None and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", sent) and status not in (400, 414, 431) and told != sent:
        raise Violation(f"X-Request-Id is {told!r}, though {sent!r} was sent")
    if method != "HEAD" and media_type(headers.get("Content-Type")) == "application/problem+json":
        problem = parse(body)
        if (problem.get("status"), problem.get("request_id")) != (status, told):
            raise Violation(f"status {status} and X-Request-Id {told} are not those of {problem}")


def judge(method, target, sent, status, headers, body):
    path = document.path_of(target)
    operation = document.operation(method, path) if path else None
    if path is None:
        if status != 404 and status not in ANYWHERE | {405} and not (method == "OPTIONS" and status == 204):
            raise Violation("an address that is not documented must not be there")
        if status != 204:
            check_problem(headers, body, method)
    elif operation is None:
        check_other_method(method, path, status, headers, body)
    elif str(status) not in operation["responses"]:
        raise Violation(f"{status} is not documented; it can be {', '.join(operation['responses'])}: {body[:300]!r}")
    else:
        response = document.resolve(operation["responses"][str(status)])
        check_headers(response, headers)
        check_body(response, method, headers, body)
    check_request_id(sent, status, headers, body, method)


def note(where, function, *arguments):
    try:
        function(*arguments)
    except Violation as violation:
        violations.append(f"{where}: {violation}")
        raise Violation(violations[-1]) from None


def check_answer(method, target, request_headers, answer):
    """Raises Violation unless an answer is as documented."""
    sent = next((value for name, value in (request_headers or {}).items() if name.lower() == "x-request-id"), None)
    sent = sent.decode("latin-1") if isinstance(sent, bytes) else sent
    where = f"{method} {target[:120]} gives {answer.status}"
    note(where, judge, method, target, sent, answer.status, answer.headers, answer.body)


def check_raw(sent, answer):
    """The same for what was sent byte by byte; bytes that are no request can be told off only."""
    line = re.match(rb"([A-Z]+) (\S+) HTTP/", sent)
    method, target = (part.decode("latin-1") for part in line.groups()) if line else ("GET", "")
    told = re.search(rb"\r\nX-Request-Id: *([^\r]*)\r\n", sent, re.IGNORECASE)
    check_answer(method, target, {"X-Request-Id": told[1].decode("latin-1")} if told else {}, answer)


def judge_webhook(headers, body):
    event = parse(body)
    for item in document.raw["webhooks"].values():
        schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        if event.get("type") in types_of(schema):
            break
    else:
        raise Violation(f"a webhook of the type {event.get('type')!r} is not documented")
    wrong = document.faults(schema, event)
    if wrong:
        raise Violation(f"{wrong}: {body[:600]!r}")
    for parameter in map(document.resolve, item["parameters"]):
        value = headers.get(parameter["name"])
        if value is None or document.faults(parameter["schema"], value):
            raise Violation(f"{parameter['name']} is {value!r}")


def types_of(schema):
    """The values of the member `type` that an event's schema takes."""
    schema = document.resolve(schema)
    found = set()
    for part in [schema, *schema.get("allOf", [])]:
        constant = part.get("properties", {}).get("type", {}).get("const")
        found |= {constant} if constant else set()
    return found


def check_webhook(headers, body):
    """Notes what is wrong with a webhook; raises nothing, since who calls it is a server."""
    try:
        note("a webhook", judge_webhook, headers, body)
    except Violation:
        pass
