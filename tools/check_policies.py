#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rules of the tree that a compiler does not know, each one a test; prints TAP.

What is checked as data: tools/layers.txt (who may include whom), tools/core_symbols.txt (what the
core may take from outside). Objects are those of the release preset.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OBJECTS = ROOT / "build/release/CMakeFiles/freshet_core.dir"
CODE = (".c", ".h")
SOURCES = (".c", ".h", ".py", ".sh", ".cmake", ".yml")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
FILE_LINES_MAX = 600
TEST_LINES_MAX = 1000


def tracked(root):
    output = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, check=True, capture_output=True).stdout.decode()
    return sorted(name for name in output.split("\0") if name and (root / name).is_file())


def code_files(root):
    return [name for name in tracked(root) if name.endswith(CODE)]


def includes_of(root, name):
    return INCLUDE.findall((root / name).read_text(errors="replace"))


def read_list(path):
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def read_layers(path):
    layers = {}
    for line in read_list(path):
        folder, _, allowed = line.partition(":")
        layers[folder.strip()] = allowed.split()
    return layers


def layer_of(name, layers):
    """The longest listed folder that holds the file."""
    folders = [folder for folder in layers if name.startswith(folder + "/")]
    return max(folders, key=len, default=None)


def include_directions(root, layers):
    """includes go downward only, by tools/layers.txt"""
    for name in code_files(root):
        own = layer_of(name, layers)
        if own is None:
            yield f"{name}: its folder is not in tools/layers.txt"
            continue
        for target in includes_of(root, name):
            if not (root / target).is_file():
                yield f'{name}: "{target}" is not written from the top of the tree'
                continue
            other = layer_of(target, layers)
            if other != own and not any(fnmatch(other or "", rule) for rule in layers[own]):
                yield f"{name} includes {target}"


def family_of(stem, headers):
    """A module may be several files that bear its name: foo_part.c belongs to foo.h."""
    folder, _, name = stem.rpartition("/")
    words = name.split("_")
    for count in range(1, len(words)):
        shorter = f"{folder}/{'_'.join(words[:count])}"
        if shorter in headers:
            return shorter
    return stem


def rings(edges):
    """Every way round that a depth-first walk meets, as text."""
    done = set()
    for start in sorted(edges):
        stack, path = [(start, iter(sorted(edges[start])))], [start]
        while stack and start not in done:
            target = next(stack[-1][1], None)
            if target is None:
                done.add(stack.pop()[0])
                path.pop()
            elif target in path:
                yield " -> ".join(path[path.index(target):] + [target])
            elif target not in done:
                stack.append((target, iter(sorted(edges.get(target, ())))))
                path.append(target)


def include_rings(root):
    """no modules include one another in a ring, and no headers"""
    files = code_files(root)
    headers = {name[:-2] for name in files if name.endswith(".h")}
    modules, texts = {}, {}
    for name in files:
        module = family_of(name[:-2], headers)
        for target in includes_of(root, name):
            other = family_of(target.rsplit(".", 1)[0], headers)
            if other != module:
                modules.setdefault(module, set()).add(other)
            if name.endswith(".h"):
                texts.setdefault(name, set()).add(target)
    yield from rings(modules)
    yield from rings(texts)


def core_objects(root):
    objects = sorted((root / "build/release/CMakeFiles/freshet_core.dir").rglob("*.o"))
    sources = {name for name in code_files(root) if name.startswith("core/") and name.endswith(".c")}
    # An object whose source is gone is a leftover of an earlier build.
    prefix = root / "build/release/CMakeFiles/freshet_core.dir"
    return [path for path in objects if str(path.relative_to(prefix))[:-2] in sources]


def nm(path):
    output = subprocess.run(["nm", str(path)], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        match = re.match(r"(?:[0-9a-f]+|\s+) ([A-Za-z]) (\S+)$", line)
        if match:
            yield match.group(1), match.group(2)


def core_symbols(root, allowed):
    """core's objects need no symbol beyond tools/core_symbols.txt"""
    objects = core_objects(root)
    if not objects:
        yield "the release objects of core are not built"
    own = {symbol for path in objects for kind, symbol in nm(path) if kind in "TRDB"}
    for path in objects:
        for kind, symbol in nm(path):
            if kind in "Uwv" and symbol not in own and symbol not in allowed:
                yield f"{path.name} needs {symbol}"


def core_writable_data(root):
    """core has no writable data: no .data, .bss or common symbols"""
    for path in core_objects(root):
        output = subprocess.run(["objdump", "-h", str(path)], check=True, capture_output=True,
                                text=True).stdout
        for match in re.finditer(r"^\s*\d+\s+(\S+)\s+([0-9a-f]+)", output, re.M):
            section, size = match.group(1), int(match.group(2), 16)
            writable = re.fullmatch(r"\.(data|bss|tdata|tbss)(\..*)?", section)
            if writable and not section.startswith(".data.rel.ro") and size > 0:
                yield f"{path.name}: {size} bytes in {section}"
        for kind, symbol in nm(path):
            if kind == "C":
                yield f"{path.name}: common symbol {symbol}"


def exported_names(root, more):
    """foo.c exports only foo_*; so do its parts, foo_part.c"""
    headers = {name[:-2] for name in code_files(root) if name.endswith(".h")}
    targets = ("freshet_core", "freshet_host", "freshet_services", "freshet_sim", "freshet_cli",
               "libfreshet")
    for target in targets:
        prefix = root / f"build/release/CMakeFiles/{target}.dir"
        for path in sorted(prefix.rglob("*.o")):
            source = str(path.relative_to(prefix))[:-2]
            if not (root / source).is_file():
                continue
            family = Path(family_of(source[:-2], headers)).name
            stems = [Path(source).stem, family, *more.get(source, [])]
            for kind, symbol in nm(path):
                if kind in "TRDBVW" and not any(symbol == stem or symbol.startswith(stem + "_")
                                                for stem in stems):
                    yield f"{source} exports {symbol}"


def unique_names(root):
    """file names are unique in the tree"""
    first = {}
    shared = {"README.md", "CMakeLists.txt", "__init__.py", "conftest.py", "run"}
    for name in tracked(root):
        base = Path(name).name
        if base in shared or "/corpus/" in name or "/vectors/" in name or "/results/" in name:
            continue
        if base in first:
            yield f"{name} and {first[base]}"
        first[base] = name


def licence_lines(root):
    """every source has its SPDX line at the top"""
    for name in tracked(root):
        path = root / name
        is_source = name.endswith(SOURCES) or Path(name).name in ("Makefile", "run", "CMakeLists.txt")
        if not is_source or "/corpus/" in name or "/vectors/" in name:
            continue
        top = path.read_text(errors="replace").splitlines()[:3]
        if not any("SPDX-License-Identifier: MIT" in line for line in top):
            yield name


def formatted(root):
    """clang-format has nothing to change"""
    if not shutil.which("clang-format"):
        yield "clang-format is absent"
        return
    files = code_files(root)
    result = subprocess.run(["clang-format", "--dry-run", *files], cwd=root, capture_output=True,
                            text=True, check=False)
    for name in sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning", result.stderr, re.M))):
        yield name
    if result.returncode != 0 and not result.stderr.count("warning"):
        yield result.stderr.strip()


# Written apart, so that this file does not find itself.
MARKS = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
PLACES = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]+/"]


def forbidden_marks(root):
    """no unfinished marks and no paths of some machine"""
    marks = re.compile(r"\b(" + "|".join(MARKS) + r")\b")
    places = re.compile("|".join(PLACES))
    for name in tracked(root):
        if "/corpus/" in name or "/vectors/" in name or "/results/" in name:
            continue
        try:
            text = (root / name).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if marks.search(line) or places.search(line):
                yield f"{name}:{number}: {line.strip()[:80]}"


def folder_readmes(root):
    """each folder of code has a README.md of at most 40 lines"""
    folders = {str(Path(name).parent) for name in code_files(root)}
    folders = {folder for folder in folders if not folder.startswith("tests/")} | {"tests", "tools"}
    for folder in sorted(folders):
        path = root / folder / "README.md"
        if not path.is_file():
            yield f"{folder} has none"
        elif len(path.read_text().splitlines()) > 40:
            yield f"{folder}/README.md is longer"


def file_lengths(root):
    """no C file is longer than 600 lines, no test than 1000"""
    for name in code_files(root):
        lines = len((root / name).read_text(errors="replace").splitlines())
        if lines > (TEST_LINES_MAX if name.startswith("tests/") else FILE_LINES_MAX):
            yield f"{name}: {lines} lines"


COMMENT = re.compile(r"/\*.*?\*/", re.S)
DRAW = re.compile(r"\brng_(?:u64|below)\(")


def one_draw_a_statement(root):
    """no statement draws two random numbers: which comes first is the compiler's choice"""
    for name in code_files(root):
        if not name.startswith(("core/", "sim/", "host/")) or name.startswith("core/base/rng"):
            continue
        text = COMMENT.sub(" ", (root / name).read_text(errors="replace"))
        for statement in re.split(r"[;{}]|&&|\|\||\?|\)\n", text):
            if len(DRAW.findall(statement)) > 1:
                yield f"{name}: {' '.join(statement.split())[:100]}"


def line_ends(root):
    """text files end with a line end and have no tabs or spaces at line ends"""
    for name in tracked(root):
        if not name.endswith(SOURCES + (".md", ".txt")):
            continue
        if "/corpus/" in name or "/vectors/" in name or "/results/" in name:
            continue
        text = (root / name).read_text(errors="replace")
        if text and not text.endswith("\n"):
            yield f"{name}: no line end at its end"
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip() or ("\t" in line and name.endswith(CODE)):
                yield f"{name}:{number}"


def write_tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)


def checks_find_what_they_look_for(_root):
    """the rules themselves notice a tree that breaks them"""
    layers = {"core/base": [], "core/wire": ["core/base"], "host": ["core/*"]}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, {
            "core/base/low.h": '#include "core/wire/high.h"\n',
            "core/wire/high.h": '#include "core/base/low.h"\n',
            "core/wire/same.c": "int x;\t\nint f(void) { return g(rng_u64(r), rng_u64(r)); }\n",
            "host/same.c": '/* SPDX-License-Identifier: MIT */\n#include "core/wire/high.h"\n'
                           "/* " + MARKS[0] + " */\n",
            "other/thing.c": "int  y ;\n" * 601,
        })
        found = {
            "direction": list(include_directions(root, layers)),
            "ring": list(include_rings(root)),
            "names": list(unique_names(root)),
            "licence": list(licence_lines(root)),
            "marks": list(forbidden_marks(root)),
            "lengths": list(file_lengths(root)),
            "readmes": list(folder_readmes(root)),
            "ends": list(line_ends(root)),
            "draws": list(one_draw_a_statement(root)),
        }
    expected = {"direction": 2, "ring": 2, "names": 1, "licence": 4, "marks": 1, "lengths": 1,
                "readmes": 6, "ends": 1,
                "draws": 1}
    for name, count in expected.items():
        if len(found[name]) != count:
            yield f"{name}: {len(found[name])} found, {count} were there: {found[name]}"


def compile_into(root, target, sources):
    """Objects where a release build has them."""
    for name in sources:
        path = root / f"build/release/CMakeFiles/{target}.dir/{name}.o"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-fcommon", "-c", name, "-o", str(path)], cwd=root,
                       check=True, capture_output=True)


def object_checks_find_what_they_look_for(_root):
    """the rules for objects notice objects that break them"""
    core = {
        "core/base/tidy.h": "int tidy(const char *text);\n",
        "core/base/tidy.c": "unsigned long strlen(const char *);\nstatic const int one = 1;\n"
                            "const char *const tidy_words[] = {\"a\", \"b\"};\n"
                            "int tidy(const char *text) { return (int)strlen(text) + one; }\n",
        "core/base/tidy_part.c": "int tidy_part(void) { return 2; }\n",
        "core/base/clock_reader.c": "long time(long *);\n"
                                    "long clock_reader(void) { return time(0); }\n",
        "core/base/counter.c": "static int calls = 1;\nint counter(void) { return calls++; }\n",
        "core/base/zeros.c": "static int zeros_seen[9];\n"
                             "int zeros(int i) { return ++zeros_seen[i]; }\n",
        "core/base/shared.c": "int shared_number;\nint shared(void) { return shared_number; }\n",
        "core/base/thread.c": "static _Thread_local int calls = 1;\n"
                              "int thread(void) { return calls++; }\n",
        "core/base/wrong.c": "int right(void) { return 1; }\nint wrong(void) { return 2; }\n"
                             "int wrongly(void) { return 3; }\n",
    }
    host = {"host/listed.c": "int other_name(void) { return 1; }\n",
            "host/unlisted.c": "int other_thing(void) { return 1; }\n"}
    services = {"services/stray.c": "int lost(void) { return 1; }\n"}
    library = {"library/public.c": "int private_thing(void) { return 1; }\n"}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tree(root, {**core, **host, **services, **library})
        if not list(core_symbols(root, set())):
            yield "objects that are not built are not missed"
        compile_into(root, "freshet_core", [name for name in core if name.endswith(".c")])
        compile_into(root, "freshet_host", host)
        compile_into(root, "freshet_services", services)
        compile_into(root, "libfreshet", library)
        found = {
            "symbols": list(core_symbols(root, {"strlen", "_GLOBAL_OFFSET_TABLE_"})),
            "data": list(core_writable_data(root)),
            "exports": list(exported_names(root, {"host/listed.c": ["other"]})),
        }
    expected = {
        "symbols": ["clock_reader.c.o needs time"],
        "data": ["counter.c.o: 4 bytes in .data", "shared.c.o: common symbol shared_number",
                 "thread.c.o: 4 bytes in .tdata", "zeros.c.o: 36 bytes in .bss"],
        "exports": ["core/base/wrong.c exports right", "core/base/wrong.c exports wrongly",
                    "host/unlisted.c exports other_thing",
                    "library/public.c exports private_thing", "services/stray.c exports lost"],
    }
    for name, faults in expected.items():
        if sorted(found[name]) != faults:
            yield f"{name}: {found[name]} instead of {faults}"


def main():
    layers = read_layers(ROOT / "tools/layers.txt")
    more = read_layers(ROOT / "tools/exports.txt")
    allowed = set(read_list(ROOT / "tools/core_symbols.txt"))
    checks = [
        (include_directions, (ROOT, layers)), (include_rings, (ROOT,)),
        (core_symbols, (ROOT, allowed)), (core_writable_data, (ROOT,)), (exported_names, (ROOT, more)),
        (unique_names, (ROOT,)), (licence_lines, (ROOT,)), (formatted, (ROOT,)),
        (forbidden_marks, (ROOT,)), (folder_readmes, (ROOT,)), (file_lengths, (ROOT,)),
        (line_ends, (ROOT,)), (one_draw_a_statement, (ROOT,)), (checks_find_what_they_look_for, (ROOT,)),
        (object_checks_find_what_they_look_for, (ROOT,)),
    ]
    print(f"1..{len(checks)}")
    failed = 0
    for number, (check, arguments) in enumerate(checks, 1):
        faults = list(check(*arguments))
        print(f"{'not ' if faults else ''}ok {number} - {check.__doc__.splitlines()[0]}")
        for fault in faults[:40]:
            print(f"# {fault}")
        failed += bool(faults)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
