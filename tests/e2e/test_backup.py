# SPDX-License-Identifier: Apache-2.0
"""Backup and restore while clients create jobs, and both killed in the middle."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

from product import BUILD, PATIENCE, Client, check, equal, started, wait_for

FORMATS = ("wav", "flac", "opus")
# Jobs that are done before the backup is made, so that there is something to restore.
JOBS_BEFORE = 40
# Moments at which backups and restores are killed, from their beginning to a little behind their usual end.
KILLS = 12


class Load(threading.Thread):
    """Creates jobs until it is told to stop."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.created, self.stopping, self.fault = client, [], False, None

    def run(self):
        number = 0
        try:
            while not self.stopping:
                number += 1
                text = f"Job {number}. " + "A sentence that takes a moment to say. " * (20 if number % 10 == 0 else 1)
                job = self.client.create(text, format=FORMATS[number % len(FORMATS)], timings=number % 2 == 0)
                self.created.append(job["job_id"])
                time.sleep(0.005)
        except Exception as fault:  # pylint: disable=broad-except
            self.fault = fault

    def end(self):
        self.stopping = True
        self.join(PATIENCE)
        if self.fault:
            raise self.fault


def run_ctl(product, *arguments, stdin=subprocess.DEVNULL):
    command = [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments]
    return subprocess.run(command, stdin=stdin, capture_output=True, timeout=PATIENCE, check=False)


def ask(product, *arguments):
    """What a command prints with --json, without what it says to people."""
    result = run_ctl(product, *arguments, "--json")
    check(result.returncode == 0, f"{arguments}: {result.returncode}: {result.stderr.decode()}")
    return json.loads(result.stdout)


def refused(product, code, hint, *arguments):
    result = run_ctl(product, *arguments)
    equal(result.returncode, code, f"exit code of {arguments}: {result.stderr.decode()}")
    check(hint in result.stderr.decode(), f"{hint!r} is not in {result.stderr.decode()}")


def rows_of(folder):
    """The jobs of a backup, looked at with nothing of the product."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'database'}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        equal(database.execute("PRAGMA integrity_check").fetchone()[0], "ok", "integrity")
        return [dict(row) for row in database.execute("SELECT * FROM jobs")]


def files_of(folder, row):
    stem = folder / "downloads" / row["job_id"][4:6] / row["job_id"]
    suffixes = [row["format"]] + (["json", "srt", "vtt"] if row["timings"] else [])
    return [stem.with_name(f"{stem.name}.{suffix}") for suffix in suffixes]


def check_backup(folder):
    """Rows and audio agree, and there is nothing else.  The rows by job."""
    rows = rows_of(folder)
    expected = set()
    for row in rows:
        if row["status"] != "completed" or row["audio_removed_at"] is not None:
            continue
        files = files_of(folder, row)
        expected.update(files)
        equal(hashlib.sha256(files[0].read_bytes()).hexdigest(), row["audio_sha256"], "sha256 of audio")
    present = {path for path in (folder / "downloads").rglob("*") if path.is_file()}
    equal(present, expected, "files of the backup")
    manifest = json.loads((folder / "manifest.json").read_text())
    equal(manifest["files"], len(expected), "files in the manifest")
    equal(manifest["database_sha256"], hashlib.sha256((folder / "database").read_bytes()).hexdigest(), "hash")
    check(not list(folder.glob("*-wal")) + list(folder.glob("*-shm")), "something lies beside the database")
    return {row["job_id"]: row for row in rows}


def load_until(product, load, count):
    def done():
        with contextlib.closing(sqlite3.connect(product.setting("database"), timeout=30)) as database:
            return database.execute("SELECT count(*) FROM jobs WHERE status = 'completed'").fetchone()[0] >= count

    wait_for(f"{count} completed jobs", lambda: load.fault or done(), pause=0.1)


def check_served(client, rows):
    """Every job of a backup is as it was, or goes on."""
    for job_id, row in rows.items():
        if row["status"] == "completed" and row["audio_removed_at"] is None:
            client.download(client.job(job_id))
        elif row["status"] in ("pending", "processing"):
            job = client.wait(job_id)
            equal(job["status"], "completed", "a job that waited")
            client.download(job)
        else:
            equal(client.job(job_id)["status"], row["status"], "status")


def test_a_backup_under_load_is_restored_on_another_machine():
    with started() as product, started() as other:
        folder = product.state / "backup"
        load = Load(product.client)
        load.start()
        load_until(product, load, JOBS_BEFORE)
        made = ask(product, "db", "backup", str(folder))
        equal(made["backup"], str(folder), "folder")
        known = set(load.created)
        wait_for("jobs after the backup", lambda: load.fault or len(load.created) > len(known) + 5)
        load.end()
        rows = check_backup(folder)
        check(made["jobs"]["completed"] >= JOBS_BEFORE, f"the backup has {made['jobs']}")
        check(len(set(load.created) - set(rows)) >= 5, "the load ended before the backup did")

        refused(other, 75, "stop Sayhook first", "db", "restore", str(folder))
        other.stop()
        shutil.copy(product.state / "secret_key", other.state / "secret_key")
        ask(other, "db", "restore", str(folder))
        check(run_ctl(other, "db", "check", "--full").returncode == 0, "db check finds faults")
        other.start()
        client = Client(other.env["SAYHOOK_URL"], product.client.key)
        check_served(client, rows)
        for job_id in list(set(load.created) - set(rows))[:5]:
            client.get(f"/v1/jobs/{job_id}").expect_problem(404)
        equal(client.create()["status"], "pending", "a new job")
        check(run_ctl(other, "db", "check").returncode == 0, "db check finds faults")


def test_what_retention_takes_meanwhile_is_marked_so_in_the_backup():
    with started("retention_audio=300ms") as product:
        load = Load(product.client)
        load.start()
        wait_for("some jobs", lambda: load.fault or len(load.created) > 20)
        for number in range(15):
            folder = product.state / f"backup-{number}"
            ask(product, "db", "backup", str(folder))
            check_backup(folder)
        load.end()


def test_a_restore_keeps_what_was_there_before():
    with started() as product:
        client = product.client
        first = client.wait(client.create("Of before the backup.")["job_id"])
        folder = product.state / "backup"
        ask(product, "db", "backup", str(folder), "--copy")
        second = client.wait(client.create("Of after the backup.")["job_id"])
        product.stop()
        result = ask(product, "db", "restore", str(folder))
        with contextlib.closing(sqlite3.connect(result["database_before"])) as before:
            equal(before.execute("SELECT count(*) FROM jobs").fetchone()[0], 2, "jobs of before")
        kept = pathlib.Path(result["downloads_before"])
        check((kept / second["job_id"][4:6] / f"{second['job_id']}.wav").exists(), "its audio is gone")
        product.start()
        client = product.client
        client.download(client.job(first["job_id"]))
        client.get(f"/v1/jobs/{second['job_id']}").expect_problem(404)


def test_what_is_no_backup_is_refused_and_changes_nothing():
    with started() as product:
        client = product.client
        job_id = client.wait(client.create()["job_id"])["job_id"]
        folder = product.state / "backup"
        refused(product, 66, f"install -d -m 0700 '{product.state}/none'", "db", "backup", str(product.state / "none" / "first"))
        ask(product, "db", "backup", str(folder))
        product.stop()
        refused(product, 66, "is no backup", "db", "restore", str(product.state / "nothing"))
        for path, change, code in (
            (folder / "database", lambda text: text[:-1] + b"x", 78),
            (folder / "manifest.json", lambda text: text.replace(b'"format":1', b'"format":2'), 78),
            (folder / "manifest.json", lambda text: text.replace(b'"files":1', b'"files":2'), 78),
            (folder / "manifest.json", lambda text: text.replace(b'"schema_version":', b'"schema_version":9'), 78),
            (folder / "manifest.json", lambda text: text[:40], 65),
        ):
            kept = path.read_bytes()
            check(change(kept) != kept, f"nothing of {path} was changed")
            path.write_bytes(change(kept))
            result = run_ctl(product, "db", "restore", str(folder))
            equal(result.returncode, code, f"exit code: {result.stderr.decode()}")
            path.write_bytes(kept)
        product.start()
        product.client.download(product.client.job(job_id))


def moments(product, *arguments):
    """Runs a command once, and yields times to kill the next ones at."""
    begun = time.monotonic()
    ask(product, *arguments)
    lasted = time.monotonic() - begun
    for number in range(KILLS):
        yield number, 1.1 * lasted * number / KILLS


def kill_after(product, seconds, *arguments):
    """Runs a command and kills it then, unless it has ended."""
    command = [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait()


def test_a_backup_that_is_killed_is_known_for_none():
    with started() as product:
        client = product.client
        for job_id in [client.create(f"Number {number}.")["job_id"] for number in range(30)]:
            client.wait(job_id)
        for number, moment in moments(product, "db", "backup", str(product.state / "backup")):
            folder = product.state / f"backup-{number}"
            part = pathlib.Path(f"{folder}.partial")
            kill_after(product, moment, "db", "backup", str(folder))
            if folder.exists():
                check_backup(folder)
            elif part.exists():
                refused(product, 73, "rm -r", "db", "backup", str(folder))
                check(not (part / "manifest.json").exists() or len(rows_of(part)) == 30, "a manifest came too early")
                shutil.rmtree(part)
                ask(product, "db", "backup", str(folder))
                check_backup(folder)
        equal(client.create()["status"], "pending", "a new job")


def test_a_restore_that_is_killed_leaves_the_old_state_or_is_finished():
    with started() as product:
        client = product.client
        ids = [client.create(f"Number {number}.")["job_id"] for number in range(30)]
        for job_id in ids:
            client.wait(job_id)
        folder = product.state / "backup"
        ask(product, "db", "backup", str(folder))
        rows = check_backup(folder)
        later = client.wait(client.create("Of after the backup.")["job_id"])["job_id"]
        product.stop()
        mark = pathlib.Path(product.setting("database") + "-restore")
        seen = set()
        for _, moment in moments(product, "db", "restore", str(folder)):
            kill_after(product, moment, "db", "restore", str(folder))
            if mark.exists():
                seen.add("half")
                refused(product, 78, "a restore of", "key", "list")
                check(ask(product, "db", "restore", str(folder))["resumed"], "it was not gone on with")
            if run_ctl(product, "db", "check").returncode != 0:
                raise AssertionError(run_ctl(product, "db", "check").stdout.decode())
            listed = product.ctl("key", "list")
            equal(len(listed["keys"]), 1, "keys")
            with contextlib.closing(sqlite3.connect(product.setting("database"))) as database:
                count = database.execute("SELECT count(*) FROM jobs").fetchone()[0]
            seen.add("old" if count == len(ids) + 1 else "new")
            check(count in (len(ids), len(ids) + 1), f"{count} jobs")
        ask(product, "db", "restore", str(folder))
        product.start()
        check_served(product.client, rows)
        product.client.get(f"/v1/jobs/{later}").expect_problem(404)
        print(f"# a restore that was killed left: {', '.join(sorted(seen))}")


def test_a_restore_that_was_killed_between_two_names_is_finished():
    began = "20261124T083000.000Z"
    with started() as product:
        client = product.client
        first = client.wait(client.create("Of before the backup.")["job_id"])["job_id"]
        folder = product.state / "backup"
        ask(product, "db", "backup", str(folder), "--copy")
        second = client.wait(client.create("Of after the backup.")["job_id"])["job_id"]
        product.stop()
        # As it is laid out, with the names of some folders exchanged.
        database = pathlib.Path(product.setting("database"))
        downloads = pathlib.Path(product.setting("downloads_dir"))
        aside = downloads / f"before-restore-{began}"
        aside.mkdir()
        shutil.copy(folder / "database", f"{database}.restoring")
        for live in sorted(downloads.glob("??")):
            following = downloads / "restoring" / live.name
            following.mkdir(parents=True)
            for file in (folder / "downloads" / live.name).glob("*"):
                os.link(file, following / file.name)
            if live.name <= first[4:6]:
                live.rename(aside / live.name)
            if live.name < first[4:6]:
                following.rename(live)
        pathlib.Path(f"{database}-restore").write_text(began)
        for arguments in (["key", "list"], ["db", "check"], ["db", "backup", str(product.state / "another")]):
            refused(product, 78, "'sayhookctl db restore' finishes it", *arguments)
        result = ask(product, "db", "restore", str(folder))
        equal(result["resumed"], True, "resumed")
        equal(run_ctl(product, "db", "check").returncode, 0, "exit code of db check")
        equal(list(downloads.glob("restoring")), [], "what was laid out")
        for job_id in (first, second):
            check((aside / job_id[4:6] / f"{job_id}.wav").exists(), "audio of before is gone")
        product.start()
        product.client.download(product.client.job(first))
        product.client.get(f"/v1/jobs/{second}").expect_problem(404)


def test_a_shell_that_writes_takes_its_turn_and_one_that_reads_changes_nothing():
    with started() as product:
        client = product.client
        job_id = client.wait(client.create()["job_id"])["job_id"]
        if shutil.which("sqlite3") is None:
            refused(product, 69, "apt-get install sqlite3", "db", "shell", "SELECT 1")
            return
        (row,) = ask(product, "db", "shell", "SELECT job_id FROM jobs")
        equal(row["job_id"], job_id, "what it reads")
        check(run_ctl(product, "db", "shell", "DELETE FROM jobs").returncode != 0, "it writes without --write")
        equal(client.job(job_id)["status"], "completed", "status")
        refused(product, 75, "--online", "db", "vacuum")
        with subprocess.Popen(
            [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], "db", "shell", "--write"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as shell:
            shell.stdin.write(b"SELECT 'ready';\n")
            shell.stdin.flush()
            equal(shell.stdout.readline(), b"ready\n", "the shell's answer")
            made = []
            writer = threading.Thread(target=lambda: made.append(client.create()["job_id"]))
            writer.start()
            shell.stdin.write(b"UPDATE api_keys SET pending_chars = pending_chars + 5;\n.quit\n")
            shell.stdin.close()
            shell.wait(PATIENCE)
            writer.join(PATIENCE)
        equal(len(made), 1, "jobs that waited for the shell")
        client.wait(made[0])
        result = run_ctl(product, "db", "check")
        equal(result.returncode, 1, f"exit code: {result.stdout.decode()}")
        check(b"pending_chars of key_" in result.stdout, result.stdout.decode())
        equal(ask(product, "db", "check", "--mend")["counters_mended"], True, "mended")
        equal(run_ctl(product, "db", "check").returncode, 0, "exit code")


def test_a_file_that_is_missing_or_cut_is_found():
    with started() as product:
        client = product.client
        gone, cut = (client.wait(client.create()["job_id"])["job_id"] for _ in range(2))
        equal(ask(product, "db", "check")["fault_count"], 0, "faults")
        stem = product.state / "downloads"
        (stem / gone[4:6] / f"{gone}.wav").unlink()
        os.truncate(stem / cut[4:6] / f"{cut}.wav", 100)
        result = run_ctl(product, "db", "check", "--json")
        equal(result.returncode, 1, "exit code")
        faults = json.loads(result.stdout)["faults"]
        equal({fault["kind"] for fault in faults}, {"file"}, "kinds")
        for job_id in (gone, cut):
            check(any(job_id in fault["fault"] for fault in faults), f"{job_id} is not among {faults}")
        # A backup holds no row that promises what is not there.
        ask(product, "db", "backup", str(product.state / "backup"))
        check_backup(product.state / "backup")
