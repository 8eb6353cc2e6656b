"""Reads docker/Dockerfile and .dockerignore: as much of their languages as ours use. What is not known is an error."""

import json
import re
import shlex

KNOWN = {
    "ARG",
    "FROM",
    "RUN",
    "COPY",
    "WORKDIR",
    "SHELL",
    "ENV",
    "LABEL",
    "USER",
    "EXPOSE",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
}


class Unknown(Exception):
    """Something that this reader would get wrong."""


class Stage:
    def __init__(self, base, name):
        self.base, self.name, self.steps = base, name, []

    def last(self, instruction):
        """The arguments of the instruction that counts, or None."""
        found = [arguments for name, arguments in self.steps if name == instruction]
        return found[-1] if found else None


def instructions(text):
    """(name, arguments), with comments dropped and continued lines joined."""
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or (not line.strip() and not joined):
            continue
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        name, _, arguments = joined.strip().partition(" ")
        if name not in KNOWN:
            raise Unknown(f"instruction {name}")
        if "<<" in arguments:
            raise Unknown(f"{name} with a here-document")
        yield name, arguments.strip()
        joined = ""
    if joined:
        raise Unknown("a last line that goes on")


def substitute(text, variables):
    """${NAME} and nothing more: no defaults, no escapes."""

    def value(match):
        if match.group(1) not in variables:
            raise Unknown(f"variable {match.group(1)}")
        return variables[match.group(1)]

    return re.sub(r"\$\{(\w+)\}", value, text)


def read(text):
    """The list of stages. Global ARGs are put in; a stage's own are steps."""
    arguments, stages = {}, []
    for name, rest in instructions(text):
        if name == "FROM":
            words = rest.split()
            if len(words) not in (1, 3) or (len(words) == 3 and words[1] != "AS"):
                raise Unknown(f"FROM {rest}")
            stages.append(Stage(substitute(words[0], arguments), words[2] if len(words) == 3 else None))
        elif stages:
            stages[-1].steps.append((name, rest))
        elif name == "ARG":
            arguments.update(assignments(rest))
        else:
            raise Unknown(f"{name} before FROM")
    return stages


def assignments(text):
    """ARG, ENV, LABEL: NAME=VALUE..."""
    words = [word.split("=", 1) for word in shlex.split(text)]
    if any(len(word) != 2 for word in words):
        raise Unknown(f"not NAME=VALUE: {text}")
    return dict(words)


def command(text):
    """The JSON form of SHELL, ENTRYPOINT and CMD."""
    try:
        words = json.loads(text)
    except json.JSONDecodeError:
        raise Unknown(f"not a JSON array: {text}") from None
    return words


def healthcheck(text):
    """Its options and its command."""
    options, _, words = text.partition(" CMD ")
    pairs = [option.split("=", 1) for option in options.split()]
    if any(len(pair) != 2 or not pair[0].startswith("--") for pair in pairs):
        raise Unknown(f"HEALTHCHECK {text}")
    return {name[2:]: value for name, value in pairs}, command(words)


class Ignored:
    """.dockerignore that begins with `*` and lets in what is named; `**/NAME` keeps out a name anywhere."""

    def __init__(self, text):
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if lines[:1] != ["*"]:
            raise Unknown(".dockerignore does not begin with *")
        self.kept = [line[1:] for line in lines[1:] if line.startswith("!")]
        self.dropped = [line[3:] for line in lines[1:] if line.startswith("**/")]
        if len(self.kept) + len(self.dropped) + 1 != len(lines) or any("*" in path for path in self.kept):
            raise Unknown("a pattern of .dockerignore")

    def lets_in(self, path):
        """Whether a file, named from the root, is part of the context."""
        parts = path.split("/")
        folders = {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
        return bool(folders & set(self.kept)) and not set(parts) & set(self.dropped)
