import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.pgcluster import ClusterError, main, running_cluster

pytestmark = [pytest.mark.one_database, pytest.mark.slow]

COMMAND = [sys.executable, "-m", "tests.support.pgcluster", "run", "--"]
ASK = (
    "import os, psycopg; c = psycopg.connect(os.environ['ROOST_DATABASE_URL']);"
    "print(c.execute('show data_directory').fetchone()[0], flush=True);"
)


def port_of(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[3])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_cluster_answers_and_is_gone_afterwards():
    done = subprocess.run([*COMMAND, sys.executable, "-c", ASK], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    data = Path(done.stdout.strip())
    assert data.name == "data"
    assert not data.parent.exists()


def test_status_of_the_command_is_handed_on():
    done = subprocess.run([*COMMAND, sys.executable, "-c", "raise SystemExit(7)"])
    assert done.returncode == 7


def test_cluster_is_gone_when_the_body_raises():
    with pytest.raises(ZeroDivisionError), running_cluster() as cluster:
        port = port_of(cluster.data)
        assert is_listening(port)
        raise ZeroDivisionError
    assert not cluster.folder.exists()
    assert not is_listening(port)


def test_sigterm_ends_the_command_and_then_the_cluster():
    sleep = ASK + "import time; time.sleep(60)"
    running = subprocess.Popen(
        [*COMMAND, sys.executable, "-c", sleep], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    data = Path(running.stdout.readline().strip())
    port = port_of(data)
    assert is_listening(port)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 128 + signal.SIGTERM
    assert not data.parent.exists()
    assert not is_listening(port)


def test_wrong_usage_says_so(capsys):
    assert main(["pytest"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_missing_server_names_the_package(monkeypatch):
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [])
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ClusterError, match="apt-get install postgresql"), running_cluster():
        pass


def test_a_cluster_that_was_stopped_starts_at_the_same_address_with_what_it_held():
    with running_cluster() as cluster:
        port = port_of(cluster.data)
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE held AS SELECT 7 AS number")
        cluster.stop()
        assert not is_listening(port)
        cluster.start()
        with psycopg.connect(cluster.url) as connection:
            assert connection.execute("SELECT number FROM held").fetchall() == [(7,)]
    assert not is_listening(port)
