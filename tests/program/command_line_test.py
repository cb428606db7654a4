# SPDX-License-Identifier: MIT
"""The command line: help, mistakes, manual pages, completions."""
import os
import pty
import re
import subprocess

from conftest import PROGRAM


def test_help_lists_every_command_with_a_summary(freshet, commands):
    result = freshet("help")
    assert result.returncode == 0
    assert result.stderr == ""
    for name in commands:
        assert (" " in name) != bool(re.search(rf"^  {name} +\S", result.stdout, re.M)), name
    for name in [name for name in commands if " " in name]:
        group, verb = name.split()
        for words in ((group, "-h"), ("help", group)):
            assert re.search(rf"^  {verb} .*\S", freshet(*words).stdout, re.M), name


def test_no_command_is_a_mistake_that_shows_the_list(freshet):
    result = freshet()
    assert result.returncode == 2
    assert "commands:" in result.stderr
    assert result.stdout == ""


def test_every_command_has_short_help_and_a_manual(freshet, commands):
    for name in commands:
        for words in ((*name.split(), "-h"), (*name.split(), "--help")):
            result = freshet(*words)
            assert result.returncode == 0, words
            assert result.stdout.startswith(f"usage: freshet {name}")
            assert "examples:" in result.stdout
        manual = freshet("help", *name.split())
        assert manual.returncode == 0
        for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT CODES", "EXAMPLES"):
            assert re.search(rf"^{heading}$", manual.stdout, re.M), (name, heading)


def test_help_fits_the_terminal(freshet, commands):
    for columns in (60, 80, 132):
        for name in commands:
            text = freshet("help", *name.split(), env={"COLUMNS": str(columns)}).stdout
            body = text.split("\nEXAMPLES")[0]
            for line in body.splitlines():
                assert len(line) <= columns or " " not in line.strip() or line.startswith(
                    ("  -", "      --", "    freshet")), line


def test_a_mistyped_command_suggests_the_nearest(freshet):
    result = freshet("versoin")
    assert result.returncode == 2
    assert result.stderr == "freshet: no command 'versoin', did you mean 'version'?\n"
    assert "did you mean" not in freshet("qqqqqq").stderr


def test_a_verb_is_known_or_the_nearest_is_suggested(freshet):
    for words in (("dht", "pnig"), ("help", "dht", "pnig")):
        result = freshet(*words)
        assert result.returncode == 2
        assert result.stderr == "freshet dht: no 'pnig' here, did you mean 'ping'?\n"
    for words in (("dht",), ("dht", "--"), ("dht", "qqqqqq")):
        result = freshet(*words)
        assert result.returncode == 2, words
        assert result.stderr.startswith("freshet dht: ") and result.stderr.count("\n") == 1
    assert freshet("help", "get", "ping").returncode == 2


def test_a_mistyped_option_suggests_the_nearest(freshet):
    result = freshet("man", "--lits")
    assert result.returncode == 2
    assert "did you mean --list?" in result.stderr
    assert result.stderr.startswith("freshet man: ")


def test_every_command_refuses_an_unknown_option(freshet, commands):
    for name in commands:
        result = freshet(*name.split(), "--no-such-option-anywhere")
        assert result.returncode == 2, name
        assert result.stderr.startswith(f"freshet {name}: "), name
        assert result.stderr.count("\n") == 1


def test_control_characters_of_the_command_line_are_not_echoed(freshet):
    result = freshet("x\x1b[31my\x07")
    assert "\x1b" not in result.stderr and "\x07" not in result.stderr


def test_version_is_one_line(freshet):
    assert re.fullmatch(r"freshet \d+\.\d+\.\d+\n", freshet("version").stdout)
    assert freshet("--version").stdout == freshet("version").stdout


def test_output_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w") as full:
        result = subprocess.run([PROGRAM, "help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 6
    assert b"could not be written" in result.stderr


def test_manual_pages_are_clean_troff(freshet, pages):
    for page in ["freshet", *pages]:
        source = freshet("man", page).stdout
        assert source.startswith(".\\\"")
        result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", "-"],
                                input=source, capture_output=True, text=True, check=False,
                                env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "100"})
        assert result.returncode == 0, page
        assert result.stderr == "", page


# What these change is said on the command line, and nowhere else.
DEEDS = ("set", "limit", "folders", "files", "mv", "rm")


def test_manual_names_every_option_and_its_variable(freshet, pages):
    for name, words in pages.items():
        manual = freshet("help", *words).stdout
        troff = freshet("man", name).stdout.replace("\\-", "-")
        for option in re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)", manual, re.M):
            assert f"--{option}" in troff, (name, option)
            variable = "FRESHET_" + option.upper().replace("-", "_")
            is_said_each_time = name in DEEDS and option not in ("json", "socket", "state")
            has_variable = re.search(rf"^ +{variable}$", manual, re.M) is not None
            assert has_variable == (option != "help" and not is_said_each_time), (name, option)


def test_bash_completion_offers_commands_and_options(freshet, commands):
    script = freshet("completions", "bash").stdout
    ask = ('COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _freshet; '
           'printf "%s\\n" "${{COMPREPLY[@]}}"')

    def complete(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        result = subprocess.run(["bash", "-c", script + "\n" + ask.format(words=quoted)],
                                capture_output=True, text=True, check=False)
        assert result.stderr == ""
        return result.stdout.split()

    first = {name for name in commands if " " not in name}
    assert set(complete("freshet", "")) == first
    assert set(complete("freshet", "help", "")) == first
    verbs = {name.split()[1] for name in commands if name.startswith("dht ")}
    assert set(complete("freshet", "dht", "")) == verbs
    assert set(complete("freshet", "help", "dht", "")) == verbs
    assert complete("freshet", "dht", "get-") == ["get-peers"]
    assert complete("freshet", "dht", "node", "--progress", "j") == ["json"]
    assert complete("freshet", "dht", "get", "--progress", "j") == []
    assert complete("freshet", "vers") == ["version"]
    assert complete("freshet", "completions", "f") == ["fish"]
    for name in commands:
        offered = complete("freshet", *name.split(), "--")
        manual = freshet("help", *name.split()).stdout
        listed = set(re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", manual, re.M))
        assert set(offered) == listed, name


def test_completions_of_every_shell_name_every_command(freshet, commands):
    for shell in ("bash", "zsh", "fish"):
        script = freshet("completions", shell)
        assert script.returncode == 0
        for name in commands:
            assert name.split()[-1] in script.stdout
    assert freshet("completions", "tcsh").returncode == 2


def test_no_colour_and_no_control_codes_even_on_a_terminal():
    parent, child = pty.openpty()
    try:
        process = subprocess.Popen([PROGRAM, "help"], stdout=child, stderr=child,
                                   stdin=subprocess.DEVNULL,
                                   env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"})
        assert process.wait(timeout=30) == 0
        text = os.read(parent, 65536)
    finally:
        os.close(parent)
        os.close(child)
    assert b"commands:" in text
    assert b"\x1b" not in text
