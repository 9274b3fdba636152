# SPDX-License-Identifier: Apache-2.0
"""What scripts/ do before anything runs: packages, building, counting.  On a machine that is made up: its apt-get and
what it builds are ours."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from product import PATIENCE, TOP, Product, check, equal, hear_signals, wait_for

# Says that it runs, and goes on when it is told to.
APT_GET = """#!/bin/sh
case " $* " in *" install "*) ;; *) exit 0 ;; esac
sh "$SAYHOOK_POLICY_RC"
echo "policy $?" >"$MACHINE/apt-get.new" && mv "$MACHINE/apt-get.new" "$MACHINE/apt-get"
while [ ! -e "$MACHINE/go-on" ]; do sleep 0.05; done
"""
SUDO = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""
# A script of scripts/: the tree, and what it does.
SHELL = 'set -euo pipefail; . "$1/scripts/lib.sh"; shift; eval "$1"'


# A tree that configures and builds, and has one check of tests/lint/ and one unit test.  Its programs are built with the
# builds to themselves or not at all.
CONFIGURE = """#!/bin/sh
cp "${0%/*}/Makefile.in" Makefile
"""
MAKEFILE = """all:
	@echo building; test ! -e ../../broken
lint:
	@echo 'PASS: one'; echo 'SKIP: another'; test ! -e ../../wrong || { echo 'FAIL: a third'; exit 1; }
docs:
check-programs fuzzers check-threads-programs: all programs
programs:
	@! flock -n ../lock true && touch programs
check: programs
	@echo 'PASS: a unit'
"""


class Machine:
    """A folder in which an installation finds its programs, and leaves what it leaves."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sayhook-machine-"))
        self.policy = self.folder / "policy-rc.d"
        self.running = self.folder / "apt-get"
        (self.folder / "bin").mkdir()
        for name, text in (("apt-get", APT_GET), ("sudo", SUDO)):
            (self.folder / "bin" / name).write_text(text)
            (self.folder / "bin" / name).chmod(0o755)
        self.env = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "MACHINE": str(self.folder),
            "SAYHOOK_BUILD_ROOT": str(self.folder / "build"),
            "SAYHOOK_POLICY_RC": str(self.policy),
        }

    def install(self, *packages):
        """The installation as a process, in a group of its own."""
        wanted = self.folder / "packages"
        wanted.write_text("".join(name + "\n" for name in packages))
        return self.shell(f"install_packages '{wanted}'")

    def shell(self, command):
        """A command of scripts/lib.sh."""
        return subprocess.Popen(
            ["bash", "-c", SHELL, "shell", str(TOP), command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env,
            start_new_session=True,
            preexec_fn=hear_signals,
        )

    def begin(self):
        """An installation that has come to apt-get, and waits there."""
        process = self.install("no-such-package-of-sayhook")
        wait_for("apt-get to run", self.running.exists)
        return process

    def tree(self):
        """Makes the tree, whose builds lie beside the packages'; a file `broken` in the machine breaks every build."""
        tree = self.folder / "tree"
        shutil.copytree(TOP / "scripts", tree / "scripts")
        for folder in ("lint", "unit"):
            (tree / "tests" / folder).mkdir(parents=True)
        for name, text in (("configure.ac", ""), ("Makefile.am", ""), ("Makefile.in", MAKEFILE), ("configure", CONFIGURE),
                           ("scripts/packages-run", ""), ("scripts/packages-test", ""), ("tests/lint/one.test", ""),
                           ("tests/unit/test_unit.c", "")):
            (tree / name).write_text(text)
        (tree / "configure").chmod(0o755)
        return tree

    def hold(self, name="lock"):
        """What another script holds while it builds, or `test-lock` while it tests, until it is closed."""
        (self.folder / "build").mkdir(exist_ok=True)
        lock = open(self.folder / "build" / name, "ab")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock

    def run_tests(self, *names):
        """scripts/test of the tree: its status and the lines that it wrote."""
        result = subprocess.run(
            [self.folder / "tree" / "scripts" / "test", *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.env,
            timeout=PATIENCE,
            check=False,
        )
        return result.returncode, result.stdout.decode().splitlines()

    def let_go(self):
        (self.folder / "go-on").touch()


@contextlib.contextmanager
def machine():
    made = Machine()
    try:
        yield made
    finally:
        made.let_go()
        shutil.rmtree(made.folder)


def test_no_service_starts_while_packages_are_installed():
    with machine() as made:
        process = made.begin()
        equal(made.running.read_text(), "policy 101\n", "what a package was told")
        check(made.policy.stat().st_mode & 0o111, "the policy cannot be run")
        made.let_go()
        said = process.communicate(timeout=PATIENCE)[0].decode()
        equal(process.returncode, 0, f"status, after {said}")
        check(not made.policy.exists(), "the policy was left behind")


def test_an_administrators_policy_stays():
    own = "#!/bin/sh\nexit 104\n"
    for number in (None, signal.SIGINT):
        with machine() as made:
            made.policy.write_text(own)
            process = made.begin()
            equal(made.running.read_text(), "policy 104\n", "what a package was told")
            if number:
                os.killpg(process.pid, number)
            made.let_go()
            process.communicate(timeout=PATIENCE)
            equal(made.policy.read_text(), own, "the administrator's policy")


def test_an_interrupted_installation_leaves_no_policy():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with machine() as made:
            process = made.begin()
            os.killpg(process.pid, number)
            said = process.communicate(timeout=PATIENCE)[0].decode()
            check(process.returncode != 0, f"{number.name} went by unheard: {said}")
            check(not made.policy.exists(), f"the policy was left behind after {number.name}: {said}")


def test_an_installation_that_shall_end_ends_behind_apt_get():
    with machine() as made:
        process = made.begin()
        os.kill(process.pid, signal.SIGTERM)
        for line in process.stdout:
            if b"waiting for apt-get" in line:
                break
        check(made.policy.exists(), "the policy went while apt-get runs")
        made.let_go()
        said = process.communicate(timeout=PATIENCE)[0].decode()
        equal(process.returncode, 130, f"status, after {said}")
        check(not made.policy.exists(), "the policy was left behind")


def test_what_a_killed_installation_left_goes_at_the_next_run():
    with machine() as made:
        process = made.begin()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        check(made.policy.exists(), "it was not killed in time")
        process = made.install()
        said = process.communicate(timeout=PATIENCE)[0].decode()
        equal(process.returncode, 0, f"status, after {said}")
        check(str(made.policy) in said, f"it is not told: {said}")
        check(not made.policy.exists(), "the policy was left behind")


def test_a_policy_under_which_another_installs_stays():
    with machine() as made:
        first = made.begin()
        equal(made.install().wait(PATIENCE), 0, "status")
        check(made.policy.exists(), "the policy of the first installation is gone")
        made.let_go()
        first.communicate(timeout=PATIENCE)
        check(not made.policy.exists(), "the policy was left behind")


# As make does, what a step runs starts what takes a moment to end.
INNER = """trap 'sleep 0.5; touch "$MACHINE/tidied"; exit 1' TERM
echo $$ >"$MACHINE/inner.new" && mv "$MACHINE/inner.new" "$MACHINE/inner"
while [ -e "$MACHINE" ]; do sleep 0.1; done
"""
OUTER = """echo $$ >"$MACHINE/outer"
sh "$MACHINE/inner.sh" &
wait
"""


def begin_step(made, settings=":"):
    """A script in the midst of a step: its process, and those of the step."""
    (made.folder / "inner.sh").write_text(INNER)
    (made.folder / "outer.sh").write_text(OUTER)
    process = made.shell(f"{settings}; quiet_step build Building sh '{made.folder}/outer.sh'; echo went on")
    wait_for("the step to run", (made.folder / "inner").exists)
    return process, [int((made.folder / name).read_text()) for name in ("outer", "inner")]


def test_what_ends_a_script_ends_its_step_first():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for end in (os.kill, os.killpg):
            with machine() as made:
                process, steps = begin_step(made)
                end(process.pid, number)
                said = process.communicate(timeout=PATIENCE)[0].decode()
                equal(process.returncode, 130, f"status after {number.name}, and {said}")
                check("went on" not in said, f"the script went on after {number.name}: {said}")
                check(not any(map(Product.is_running, steps)), f"the step goes on after {number.name}: {said}")
                check((made.folder / "tidied").exists(), f"the step was not waited for after {number.name}: {said}")


def test_a_step_that_does_not_end_is_killed():
    with machine() as made:
        process, steps = begin_step(made, "STEP_PATIENCE=1")
        os.kill(process.pid, signal.SIGTERM)
        said = process.communicate(timeout=PATIENCE)[0].decode()
        equal(process.returncode, 130, f"status, after {said}")
        wait_for("the end of the step", lambda: not any(map(Product.is_running, steps)))
        check(not (made.folder / "tidied").exists(), "it was not killed")


def test_the_last_line_counts_the_tests():
    with machine() as made:
        made.tree()
        status, lines = made.run_tests("one")
        equal((status, lines[-1]), (0, "1 passed, 0 failed, 1 skipped"), f"the end of {lines}")
        (made.folder / "wrong").touch()
        status, lines = made.run_tests("one")
        equal((status, lines[-1]), (1, "1 passed, 1 failed, 1 skipped"), f"the end of {lines}")


def test_the_last_line_counts_a_build_that_fails():
    with machine() as made:
        made.tree()
        (made.folder / "broken").touch()
        for names, failed in ((["one"], 1), ([], 3)):
            status, lines = made.run_tests(*names)
            equal((status, lines[-1]), (1, f"0 passed, {failed} failed, 0 skipped"), f"the end of {lines}")
            check("building" in lines, f"the end of the build's log is not shown: {lines}")
            check(any("the build release failed" in line for line in lines), f"the build is not named: {lines}")


def test_the_last_line_comes_whatever_ends_the_tests():
    with machine() as made:
        tree = made.tree()
        status, lines = made.run_tests("no-such-test")
        equal((status, lines[-1]), (64, "0 passed, 1 failed, 0 skipped"), f"the end of {lines}")
        (tree / "configure").write_text("#!/bin/sh\nkill -TERM $(cat ../../pid)\nsleep 5\n")
        starter = made.folder / "starter"
        starter.write_text(f'echo $$ >"{made.folder}/pid"; exec "{tree}/scripts/test" one\n')
        ended = subprocess.run(["bash", starter], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=made.env, timeout=PATIENCE, check=False)
        check(ended.returncode != 0, "it was ended, and says that all is well")
        equal(ended.stdout.decode().splitlines()[-1], "0 passed, 1 failed, 0 skipped", "the last line")


def check_waits(lock, who):
    """scripts/test waits while another holds that, says so in its first line, and goes on."""
    with machine() as made:
        made.tree()
        with made.hold(lock):
            tests = subprocess.Popen([made.folder / "tree" / "scripts" / "test", "one"], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, env=made.env)
            equal(tests.stdout.readline(), f"Waiting for another {who} below {made.folder}/build.\n".encode(),
                  "the first line")
            check(not (made.folder / "build" / "release").exists(), "it builds all the same")
        said = tests.communicate(timeout=PATIENCE)[0].decode()
        equal(said.splitlines()[-1], "1 passed, 0 failed, 1 skipped", "the last line")


def test_one_script_at_a_time_builds():
    check_waits("lock", "script that builds")


def test_one_script_at_a_time_tests():
    check_waits("test-lock", "scripts/test")


def test_what_a_suite_runs_is_built_by_one_script_at_a_time():
    with machine() as made:
        made.tree()
        status, lines = made.run_tests("unit")
        equal((status, lines[-1]), (0, "1 passed, 0 failed, 0 skipped"), f"the end of {lines}")


def test_no_script_waits_for_ever_to_build():
    with machine() as made, made.hold():
        waiting = made.shell("BUILD_PATIENCE=1; with_build_lock echo built")
        said = waiting.communicate(timeout=PATIENCE)[0].decode()
        equal(waiting.returncode, 75, f"status, after {said}")
        check("built" not in said.split(), said)


def test_who_has_built_holds_nothing():
    with machine() as made:
        process = made.shell("with_build_lock sh -c 'exit 3' || echo status $?; sleep 60")
        equal(process.stdout.readline(), b"status 3\n", "what a command ends with")
        made.hold().close()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)


def test_a_build_whose_script_was_killed_is_waited_for():
    with machine() as made:
        process = made.shell("with_build_lock sh -c 'echo builds; sleep 60; :'")
        equal(process.stdout.readline(), b"builds\n", "what the build says")
        process.kill()
        process.wait(PATIENCE)
        try:
            made.hold().close()
            check(False, "another could build in the same folder")
        except BlockingIOError:
            os.killpg(process.pid, signal.SIGKILL)
