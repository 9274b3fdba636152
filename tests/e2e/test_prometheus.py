# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus reads /metrics; the alerts and the dashboard are made of what is there."""

import contextlib
import functools
import json
import math
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
import urllib.request

from product import PATIENCE, TOP, Skip, check, equal, free_port, hear_signals, started, wait_for

FOLDER = TOP / "prometheus"
RULES = FOLDER / "sayhook.rules.yml"
TESTS = FOLDER / "sayhook.rules.test.yml"
DASHBOARD = FOLDER / "sayhook-dashboard.json"

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: sayhook
    static_configs: [{{targets: ["{address}"]}}]
"""


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Skip(f"{name} (package prometheus) is not installed")
    return path


def promtool(*arguments):
    result = subprocess.run([tool("promtool"), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=PATIENCE, check=False)
    check(result.returncode == 0, f"promtool {arguments}: {result.stdout.decode()}")


def rules():
    import yaml  # pylint: disable=import-outside-toplevel  # python3-yaml, which the build needs as well

    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels():
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def dashboard_expressions():
    """With what Grafana puts in place of its variables."""
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def names_in(expression):
    """The metrics of an expression: what is left of its names without strings, labels, functions and numbers."""
    text = re.sub(r'"[^"]*"', "", expression)
    text = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", text)
    text = re.sub(r"\b(by|without|on|ignoring|group_left)\s*\([^)]*\)", " ", text)
    return {name for name in re.findall(r"\b[a-z_]+\b(?!\s*\()", text)
            if name not in {"and", "or", "unless", "on", "by", "without", "ignoring", "group_left", "e"}}


def shown(client):
    """Every name that /metrics has a sample of."""
    text = client.get("/metrics", key="").expect(200).body.decode()
    return {re.match(r"[a-z_]+", line)[0] for line in text.splitlines() if not line.startswith("#")}


def test_the_alerts_are_rules_that_keep_their_own_tests():
    promtool("check", "rules", RULES)
    promtool("test", "rules", TESTS)


def test_every_alert_has_a_test_and_says_what_to_do():
    tests, document = TESTS.read_text(), (TOP / "docs" / "METRICS.md").read_text()
    for rule in rules():
        name, notes = rule["alert"], rule["annotations"]
        check(f"alertname: {name}, exp_alerts: []" in tests, f"{name} has no test in which it is silent")
        check(f"alertname: {name}\n" in tests, f"{name} has no test in which it comes")
        check(rule["labels"]["severity"] in ("page", "ticket"), f"the severity of {name} is {rule['labels']}")
        check(f"| `{name}` | {rule['labels']['severity']} | " in document, f"docs/METRICS.md has no row for {name}")
        check(notes["summary"] and "Next: " in notes["description"], f"{name} does not say what to do next")
        equal(notes["runbook"], f"docs/OPERATIONS.md#{name.lower()}", f"runbook of {name}")


def test_alerts_and_dashboard_name_only_metrics_that_are_there(client):
    there = shown(client) | {"up"}
    for expression in [rule["expr"] for rule in rules()] + list(dashboard_expressions()):
        names = names_in(expression)
        check(names, f"no metric in {expression}")
        equal(names - there, set(), f"unknown metrics of {expression}")


def test_the_dashboard_is_one_that_grafana_can_import():
    dashboard = json.loads(DASHBOARD.read_text())
    check(dashboard["schemaVersion"] >= 36 and dashboard["title"] and dashboard["uid"], "the dashboard's head")
    equal([row["title"] for row in dashboard["panels"] if row["type"] == "row"],
          ["Jobs", "Speech", "Webhooks", "HTTP", "Storage", "Workers"], "rows")
    equal([variable["name"] for variable in dashboard["templating"]["list"]], ["datasource", "instance"], "variables")
    ids = [panel["id"] for panel in dashboard["panels"]]
    equal(len(ids), len(set(ids)), "panels with an id of their own")
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        check(at["x"] + at["w"] <= 24 and not cells & taken, f"{panel['title']} lies over another panel")
        taken |= cells
    for panel in panels():
        check(panel["title"] and panel["description"], f"panel {panel['id']} does not say what it shows")
        for source in [panel] + panel["targets"]:
            equal(source["datasource"]["uid"], "${datasource}", f"data source of {panel['title']}")


def test_every_expression_of_the_dashboard_parses():
    with tempfile.TemporaryDirectory(prefix="sayhook-e2e-") as folder:
        path = pathlib.Path(folder) / "rules.json"  # JSON is YAML
        path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
            {"record": f"panel:{number}", "expr": expression}
            for number, expression in enumerate(dashboard_expressions())
        ]}]}))
        promtool("check", "rules", path)


# --- a real one -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def prometheus_reading(product):
    """A Prometheus with the alerts that reads the product once a second; what is yielded asks it."""
    program, port = tool("prometheus"), free_port()
    with tempfile.TemporaryDirectory(prefix="sayhook-e2e-") as folder:
        configuration, log = pathlib.Path(folder) / "prometheus.yml", pathlib.Path(folder) / "log"
        configuration.write_text(CONFIGURATION.format(rules=json.dumps(str(RULES)), address=product.client.address))
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [program, f"--config.file={configuration}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=hear_signals)
        try:
            yield functools.partial(ask, port)
        except BaseException:
            print("# " + log.read_text(errors="replace")[-3000:].replace("\n", "\n# "))
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def ask(port, path, **parameters):
    """What the HTTP API of Prometheus answers; None while it does not."""
    url = f"http://127.0.0.1:{port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def samples(prometheus, expression):
    """Labels and value of each series that an expression gives now."""
    data = prometheus("query", query=expression)
    return [(one["metric"], float(one["value"][1])) for one in data["result"]] if data else []


def value(prometheus, expression):
    found = samples(prometheus, expression)
    return found[0][1] if len(found) == 1 else math.nan


def target(prometheus):
    data = prometheus("targets")
    return data["activeTargets"][0] if data and data["activeTargets"] else {}


def test_a_real_prometheus_reads_what_has_happened(receiver):
    with started() as product, prometheus_reading(product) as prometheus:
        client = product.client
        wait_for("the target to be up", lambda: target(prometheus).get("health") == "up")
        equal(target(prometheus)["lastError"], "", "the error of the last scrape")
        # Two samples, so that there are rates; of each series the first is 0.
        wait_for("the first sample", lambda: value(prometheus, 'job_status_total{status="completed"}') == 0)
        jobs = [client.create(webhook_url=receiver.url + "/hook")["job_id"] for _ in range(3)]
        for job in jobs:
            client.wait(job, "completed")
            receiver.wait(job)
        for expression, expected in (
            ('job_status_total{status="pending"}', 3),
            ('job_status_total{status="completed"}', 3),
            ('job_status_total{status="failed"}', 0),
            ("job_queue_length", 0),
            ("job_processing_duration_seconds_count", 3),
            ("sayhook_job_wait_seconds_count", 3),
            ('webhook_delivery_total{result="success"}', 3),
            ("webhook_retry_total", 0),
            ("sayhook_webhook_delay_seconds_count", 3),
            ('sayhook_http_requests_total{route="POST /v1/tts/async",status="202"}', 3),
            ("sayhook_workers", 1),
        ):
            wait_for(f"{expression} to be {expected}", lambda e=expression, x=expected: value(prometheus, e) == x)
        check(value(prometheus, 'increase(job_status_total{status="completed"}[5m])') > 0, "there is no rate of jobs")
        for expression in dashboard_expressions():
            # What is divided or filtered may have nothing to show.
            found = samples(prometheus, expression)
            check(found or " > 0" in expression, f"a panel of the dashboard is empty: {expression}")
        loaded = [rule for group in prometheus("rules")["groups"] for rule in group["rules"]]
        equal({rule["name"] for rule in loaded}, {rule["alert"] for rule in rules()}, "alerts")
        for rule in loaded:
            wait_for(f"{rule['name']} to be evaluated", lambda name=rule["name"]: health_of(prometheus, name) == "ok")
        # The disk is this machine's own affair.
        alerts = {alert["labels"]["alertname"] for alert in prometheus("alerts")["alerts"]}
        equal(alerts - {"SayhookDiskFull", "SayhookDiskLow"}, set(), "alerts of a server that is well")


def health_of(prometheus, name):
    for group in prometheus("rules")["groups"]:
        for rule in group["rules"]:
            if rule["name"] == name:
                check(rule["health"] != "err", f"{name}: {rule.get('lastError')}")
                return rule["health"]
    return None


def test_a_real_prometheus_sees_a_worker_die():
    with started() as product, prometheus_reading(product) as prometheus:
        wait_for("the worker", lambda: value(prometheus, "sayhook_workers") == 1)
        os.kill(product.worker_pid, signal.SIGKILL)
        wait_for("no worker to be left", lambda: value(prometheus, "sayhook_workers") == 0)

        def pending():
            alerts = prometheus("alerts")["alerts"]
            return any(alert["labels"]["alertname"] == "SayhookWorkerDead" for alert in alerts)

        wait_for("the alert to be pending", pending)
