# SPDX-License-Identifier: MIT
"""A program that a test starts and ends by its own process id."""
import os
import signal
import subprocess


class Process:
    """Output goes to a file, so that nobody ever blocks on it."""

    def __init__(self, command, folder, name, env=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log_path = folder / f"{name}.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], cwd=folder,
                                            stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT,
                                            env={**os.environ, "HOME": str(folder), **(env or {})})

    def log(self):
        return self.log_path.read_text(errors="replace")

    def is_running(self):
        return self.process.poll() is None

    def wait(self, seconds=60):
        """The exit code; a test fails when the program does not end by itself in time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {seconds} s:\n{self.log()[-4000:]}") \
                from None

    def stop(self, number=signal.SIGTERM):
        """Asks it to end, and makes it after five seconds; the exit code."""
        if self.is_running():
            self.process.send_signal(number)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait(5)
