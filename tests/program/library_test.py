# SPDX-License-Identifier: MIT
"""libfreshet as it is installed: programs are compiled against it and run."""
import os
import subprocess

import pytest
from conftest import ROOT
from peers import Peer, write

# A thread of the library's own, commands from another, a magnet link, and the caller's SIGPIPE
# left as it was.
THREADED = r"""
#include <freshet/freshet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int complete, metadata, removed, failed;

static void on_event(void *context, const struct freshet_event *event)
{
    (void)context;
    pthread_mutex_lock(&lock);
    complete += event->type == FRESHET_EVENT_COMPLETE;
    metadata += event->type == FRESHET_EVENT_METADATA;
    removed += event->type == FRESHET_EVENT_REMOVED;
    failed += event->type == FRESHET_EVENT_ERROR;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int wait_for(int *value)
{
    pthread_mutex_lock(&lock);
    while (!*value && !failed)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return *value;
}

int main(int count, char **words)
{
    struct freshet_options options = {.size = sizeof options};
    struct freshet_status status = {.size = sizeof status};
    struct sigaction before, after;
    struct freshet *session;
    char why[FRESHET_TEXT_SIZE], name[64];
    unsigned char bits[4096];
    uint32_t torrent = 0, again = 0;

    if (count != 5)
        return 2;
    sigaction(SIGPIPE, 0, &before);
    options.state_folder = words[3];
    options.listen = words[4];
    options.no_dht = options.no_lsd = 1;
    if (freshet_new(&options, &session, why))
        return printf("%s\n", why), 3;
    freshet_on_event(session, on_event, 0);
    if (freshet_start_thread(session) || freshet_start_thread(session) != FRESHET_STOPPED ||
        freshet_run(session, 0) != FRESHET_STOPPED)
        return 4;
    if (freshet_add(session, words[1], words[2], 0, &torrent, why))
        return printf("%s\n", why), 5;
    if (freshet_add(session, words[1], words[2], 0, &again, why) != FRESHET_KNOWN ||
        again != torrent)
        return 6;
    if (freshet_add(session, "/nowhere", words[2], 0, &again, why) != FRESHET_DISK ||
        freshet_add_bytes(session, "i1e", 3, words[2], 0, &again, why) != FRESHET_BAD_TORRENT ||
        freshet_pause(session, 77) != FRESHET_NO_TORRENT)
        return 7;
    if (!wait_for(&metadata) || !wait_for(&complete))
        return 8;
    if (freshet_status(session, torrent, &status) || !status.complete ||
        status.pieces_have != status.pieces || freshet_name(session, torrent, name, sizeof name) ||
        freshet_pieces(session, torrent, bits, sizeof bits) || !(bits[0] & 0x80))
        return 9;
    printf("%s %llu\n", name, (unsigned long long)status.verified);
    if (freshet_remove(session, torrent) || !wait_for(&removed) ||
        freshet_status(session, torrent, &status) != FRESHET_NO_TORRENT)
        return 10;
    freshet_free(session);
    sigaction(SIGPIPE, 0, &after);
    return before.sa_handler == after.sa_handler ? 0 : 11;
}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The prefix below which `make install` has put everything."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "install", f"DESTDIR={folder}", "prefix=/usr"], check=True, cwd=ROOT,
                   capture_output=True, timeout=600)
    return folder / "usr"


@pytest.fixture
def compiled(installed, tmp_path):
    """Compiles a source against the installed library, as pkg-config tells; gives how to run it."""
    libraries = installed / "lib"

    def run(source, *more):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "freshet"], check=True,
                               capture_output=True, text=True,
                               env={**os.environ, "PKG_CONFIG_PATH": libraries / "pkgconfig",
                                    "PKG_CONFIG_SYSROOT_DIR": ""}).stdout.split()
        program = tmp_path / "program"
        result = subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *more, source, "-o", program,
                                 *flags], capture_output=True, text=True, check=False, timeout=120)
        assert result.returncode == 0, result.stderr
        environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries), "HOME": str(tmp_path)}
        environment.pop("XDG_STATE_HOME", None)
        return lambda *words: subprocess.run(
            [program, *map(str, words)], capture_output=True, text=True, check=False, timeout=120,
            env=environment)

    return run


@pytest.fixture
def seeded(tmp_path, freshet):
    """A seed of 3 MB: the .torrent, the content, the seed, its magnet link."""
    content = write(tmp_path / "here/film.bin", 3_000_000)
    torrent = tmp_path / "film.torrent"
    freshet("create", content, "-o", torrent)
    seed = Peer(tmp_path, "seed", torrent, "-o", content.parent, "--no-dht")
    seed.wait_event("ready")
    yield torrent, content, seed, freshet("show", torrent, "--magnet").stdout.strip()
    seed.process.terminate()
    seed.process.wait(30)


def test_the_example_is_short_and_downloads_with_the_installed_library(compiled, seeded, tmp_path):
    example = ROOT / "examples/download.c"
    assert len(example.read_text().splitlines()) <= 60
    torrent, content, seed, _ = seeded
    result = compiled(example)(torrent, tmp_path / "there", seed.events("ready")[0]["listen"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "there/film.bin").read_bytes() == content.read_bytes()


def test_the_example_says_what_is_wrong(compiled, tmp_path):
    result = compiled(ROOT / "examples/download.c")(tmp_path / "absent.torrent", tmp_path)
    assert result.returncode == 1
    assert "absent.torrent: No such file" in result.stderr


def test_a_thread_of_the_library_downloads_a_magnet_link(compiled, seeded, tmp_path):
    _, content, seed, magnet = seeded
    source = tmp_path / "threaded.c"
    source.write_text(THREADED)
    link = f"{magnet}&x.pe={seed.events('ready')[0]['listen']}"
    result = compiled(source, "-pthread")(
        link, tmp_path / "there", tmp_path / "library-state", "127.0.0.1:0")
    assert (result.returncode, result.stdout) == (0, "film.bin 3000000\n"), result.stderr
    assert (tmp_path / "there/film.bin").read_bytes() == content.read_bytes()


def test_the_header_is_cpp_too_and_the_library_shows_public_names_only(installed, tmp_path):
    source = tmp_path / "empty.cpp"
    source.write_text("#include <freshet/freshet.h>\n")
    subprocess.run(["clang++", "-fsyntax-only", "-nostdinc++", "-Wall", "-Wextra", "-Werror", "-I",
                    installed / "include", source], check=True, timeout=60)
    names = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions",
                            installed / "lib" / "libfreshet.so"], check=True,
                           capture_output=True, text=True).stdout.split("\n")
    shown = [line.split()[2] for line in names if line and "FRESHET_0" != line.split()[2]]
    assert len(shown) == 19
    assert all(name.startswith("freshet_") and name.endswith("@@FRESHET_0") for name in shown)
