#!/usr/bin/env python3
"""Source files say what they are, stay small, and leave nothing for later."""
import pathlib
import re
import sys

MAX_LINES = 500
LEFT_FOR_LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def problems_of(path):
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{path}: {len(lines)} lines; does it do two things?"
    first = next((line for line in lines if line and not line.startswith("#!")), "")
    if not first.startswith(("/*", "//", "#", '"""')):
        yield f"{path}: the first line does not say what the file is"
    if not text.endswith("\n"):
        yield f"{path}: no line feed at the end"
    for number, line in enumerate(lines, 1):
        if LEFT_FOR_LATER.search(line) and path.name != "files.py":
            yield f"{path}:{number}: left for later"
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end"


def main():
    root = pathlib.Path(sys.argv[1])
    kinds = ("*.c", "*.h", "*.cpp", "*.py", "*.sh", "*.js", "*.css")
    folders = ("src", "tests", "scripts", "docker")
    files = [path for folder in folders for kind in kinds for path in sorted((root / folder).rglob(kind))]
    problems = [problem for path in files for problem in problems_of(path)]
    print("\n".join(problems))
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
