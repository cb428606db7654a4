# SPDX-License-Identifier: MIT
"""Processes of a bench: started with their output in a file, measured by /proc, always ended."""
import os
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something did not run; the row says so and the bench goes on."""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def own_address():
    """An address of this machine that is not loopback, since some clients refuse loopback peers.
    Traffic to it stays on the loopback interface. No packet is sent here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("198.51.100.1", 9))
            return sock.getsockname()[0]
        except OSError:
            return "127.0.0.1"


class Process:
    def __init__(self, args, log, cwd=None, stdin=subprocess.DEVNULL):
        self.args = [str(arg) for arg in args]
        self.log = log
        self.started = time.monotonic()
        self.rusage = None
        self.status = None
        environment = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(self.args, stdin=stdin, stdout=output, stderr=output,
                                          cwd=cwd, env=environment)
        self.pid = self.popen.pid

    def poll(self):
        """None while it runs, else its exit status (negative: a signal)."""
        if self.status is None:
            pid, status, rusage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.popen.returncode = self.status
                self.rusage = rusage
        return self.status

    def cpu(self):
        """CPU seconds so far, of the whole process."""
        if self.poll() is not None:
            return self.rusage.ru_utime + self.rusage.ru_stime
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / TICKS

    def wait(self, timeout, what=None):
        """Waits for the end; with `what`, for that to come true (then the process may go on)."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if what and what():
                return
            status = self.poll()
            if status is not None:
                if what and what():
                    return
                if what or status:
                    raise BenchError(f"{self.args[0]} ended with {status}: {self.last_words()}")
                return
            time.sleep(0.002)
        raise BenchError(f"{self.args[0]} was not done after {timeout:.0f} s")

    def last_words(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                lines = [line.strip() for line in file if line.strip()]
            return lines[-1][:200] if lines else "it said nothing"
        except OSError:
            return "it said nothing"

    def stop(self):
        for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            if self.poll() is not None:
                return
            os.kill(self.pid, sign)
            end = time.monotonic() + seconds
            while self.poll() is None and time.monotonic() < end:
                time.sleep(0.01)


def run_measured(args, log, timeout, cwd=None):
    """Runs to the end; returns seconds and CPU seconds."""
    start = time.monotonic()
    process = Process(args, log, cwd)
    try:
        process.wait(timeout)
        return time.monotonic() - start, process.cpu()
    finally:
        process.stop()


def bytes_in(folder):
    """Bytes that lie in a folder's files: holes do not count."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
            except OSError:
                pass
    return total


def is_connected(port):
    """Is anybody connected to this TCP port of this machine?"""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                for line in file.readlines()[1:]:
                    fields = line.split()
                    if fields[3] == "01" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                        return True
        except OSError:
            pass
    return False
