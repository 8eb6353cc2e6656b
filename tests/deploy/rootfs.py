#!/usr/bin/env python3
"""Builds docker/Dockerfile without a container engine, by its own steps in a root that debootstrap makes, and runs it.

rootfs.py [--build-arg NAME=VALUE]... [FOLDER]     FOLDER keeps the base root between runs (default .cache/rootfs)

RUN runs in a chroot with its own mounts and processes, COPY copies, USER, ENTRYPOINT and CMD say how the image runs;
an instruction that it does not know ends it. The image then runs as with --read-only, --cap-drop ALL and
no-new-privileges: as the image's user, without a capability, in namespaces of its own, on a tree mounted read-only.
Layers, image configuration and digests are an engine's and are not shown by this.
Environment: JOBCODE_DEPLOY_ROOTFS=1, or it is skipped (77): it takes minutes, and fetches packages and weights.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import dockerfile

SKIP = 77
ROOT = pathlib.Path(os.environ.get("JOBCODE_SOURCE_ROOT") or pathlib.Path(__file__).resolve().parents[2])
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APT = """// As in the published image: no caches, no translations.
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Keep-Downloaded-Packages "false";
Acquire::Languages "none";
"""
# The devices a container gets, in a folder of its own: what runs as root in the tree cannot remove this machine's.
MOUNT = """
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$tree/dev"
for device in null zero full random urandom; do
  touch "$tree/dev/$device"
  mount --bind "/dev/$device" "$tree/dev/$device"
done
ln -s /proc/self/fd "$tree/dev/fd"
mkdir -m 1777 "$tree/dev/shm"
"""
SUITES = {"debian:bookworm-slim": "bookworm"}


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def tree_mib(folder):
    return int(subprocess.check_output(["du", "-sxk", str(folder)]).split()[0]) / 1024


def find_mirror():
    """The mirror this machine's own packages come from, in either form of apt's sources."""
    for path in sorted(pathlib.Path("/etc/apt").glob("sources.list*")) + sorted(
        pathlib.Path("/etc/apt/sources.list.d").glob("*")
    ):
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                words = line.split()
                for word in words[1:] if words and words[0] in ("deb", "URIs:") else []:
                    if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                        return word
    raise SystemExit("apt's sources name no Debian mirror")


def make_base(image, folder):
    """Debian's base system. The published slim image leaves out documents and translations; so does this."""
    if image not in SUITES:
        raise dockerfile.Unknown(f"base image {image}")
    base = folder / SUITES[image]
    if not base.is_dir():
        say(f"debootstrap {SUITES[image]}")
        temp = base.with_suffix(".tmp")
        shutil.rmtree(temp, ignore_errors=True)
        mirror = find_mirror()
        subprocess.run(
            ["debootstrap", "--variant=minbase", SUITES[image], str(temp), mirror],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        security = mirror.rstrip("/") + "-security"
        (temp / "etc/apt/sources.list").write_text(
            f"deb {mirror} bookworm main\ndeb {mirror} bookworm-updates main\ndeb {security} bookworm-security main\n"
        )
        for name in ("doc", "man", "locale", "info"):
            shutil.rmtree(temp / "usr/share" / name, ignore_errors=True)
        (temp / "etc/dpkg/dpkg.cfg.d/slim").write_text(
            "".join(f"path-exclude /usr/share/{name}/*\n" for name in ("doc", "man", "locale", "info"))
        )
        (temp / "etc/apt/apt.conf.d/clean").write_text(APT)
        for path in [*temp.glob("var/cache/apt/**/*.*"), *temp.glob("var/lib/apt/lists/*Packages")]:
            path.unlink()
        temp.rename(base)
    return base


class Root:
    """A stage under way: a tree, and what its instructions set."""

    def __init__(self, tree):
        self.tree = tree
        self.shell = ["/bin/sh", "-c"]
        self.workdir = "/"
        self.user = "0:0"
        self.image_environment = {"PATH": PATH}
        self.arguments = {}

    def inside(self, path):
        return self.tree / path.lstrip("/")

    def run(self, script):
        """RUN: in a chroot; the network, its names and certificates are this machine's."""
        lines = ["tree=$1; shift", MOUNT, 'mount --bind /etc/resolv.conf "$tree/etc/resolv.conf"']
        environment = {**self.arguments, **self.image_environment}
        environment |= {"HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
        certificates = os.environ.get("PIP_CERT")
        if certificates:
            lines.append(f'mount --bind {certificates} "$tree/run/certificates.crt"')
            self.inside("run/certificates.crt").touch()
            environment["PIP_CERT"] = "/run/certificates.crt"
        self.inside("etc/resolv.conf").touch()
        lines.append('exec chroot "$tree" "$@"')
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-euc",
            "\n".join(lines),
            "run",
            str(self.tree),
        ]
        inner = [*self.shell, f"cd {self.workdir}; {script}"]
        if self.user != "0:0":
            user, group = self.user.split(":")
            inner = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", *inner]
        with open(self.tree.with_suffix(".log"), "ab") as log:
            result = subprocess.run(command + inner, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if result.returncode:
            tail = self.tree.with_suffix(".log").read_text(errors="replace")[-3000:]
            raise SystemExit(f"RUN ended with {result.returncode}: {script}\n{tail}")
        self.inside("run/certificates.crt").unlink(missing_ok=True)

    def copy(self, text, stages, context):
        words = text.split()
        source = context
        if words[0].startswith("--from="):
            source = stages[words.pop(0)[len("--from=") :]].tree
        if any(word.startswith("--") for word in words):
            raise dockerfile.Unknown(f"COPY {text}")
        *names, target = words
        to = self.inside(target if target.startswith("/") else f"{self.workdir}/{target}")
        for name in names:
            what = source / name.lstrip("/")
            if what.is_dir():
                to.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", "--no-preserve=ownership", f"{what}/.", str(to)], check=True)
            else:
                is_folder = target.endswith(("/", "."))
                (to if is_folder else to.parent).mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", "--no-preserve=ownership", str(what), str(to)], check=True)


def apply_step(root, name, text, stages, context, build_args):
    if name == "RUN":
        root.run(text)
    elif name == "COPY":
        root.copy(text, stages, context)
    elif name == "WORKDIR":
        root.workdir = text
        root.inside(text).mkdir(parents=True, exist_ok=True)
    elif name == "SHELL":
        root.shell = dockerfile.command(text)
    elif name == "USER":
        root.user = text
    elif name == "ENV":
        root.image_environment.update(dockerfile.assignments(text))
    elif name == "ARG":
        for argument, default in dockerfile.assignments(text).items():
            root.arguments[argument] = build_args.get(argument, default)
    # The rest describes the image and does nothing while it is built.


def make_context(folder):
    """What `docker build` would be sent: the files that .dockerignore lets in."""
    ignored = dockerfile.Ignored((ROOT / ".dockerignore").read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    names = [
        str(path.relative_to(ROOT))
        for top in sorted({kept.split("/")[0] for kept in ignored.kept})
        for path in [ROOT / top, *(ROOT / top).rglob("*")]
        if path.is_file()
    ]
    for name in filter(ignored.lets_in, names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def build(folder, build_args):
    """The stages' trees; the last is the image."""
    stages = dockerfile.read((ROOT / "docker/Dockerfile").read_text(encoding="utf-8"))
    arguments = [text for stage in stages for name, text in stage.steps if name == "ARG"]
    known = {name for text in arguments for name in dockerfile.assignments(text)}
    if not build_args.keys() <= known:
        raise SystemExit(f"the Dockerfile's stages have {', '.join(sorted(known))}, and not all of {list(build_args)}")
    context = make_context(folder / "context")
    say(f"context: {tree_mib(context):.0f} MiB")
    built = {}
    for number, stage in enumerate(stages):
        base = make_base(stage.base, folder)
        tree = folder / f"stage-{stage.name or number}"
        shutil.rmtree(tree, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(tree)], check=True)
        root = Root(tree)
        tree.with_suffix(".log").unlink(missing_ok=True)
        for name, text in stage.steps:
            start = time.monotonic()
            apply_step(root, name, text, built, context, build_args)
            say(f"{stage.name or number}: {name} {text[:70]}... {time.monotonic() - start:.0f} s")
        built[stage.name or str(number)] = root
    return stages[-1], root, base


def main():
    if os.environ.get("JOBCODE_DEPLOY_ROOTFS") != "1":
        print("skipped: it takes minutes; JOBCODE_DEPLOY_ROOTFS=1 runs it")
        return SKIP
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        print("skipped: it needs root, and debootstrap")
        return SKIP
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / ".cache/rootfs")
    args = parser.parse_args()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    build_args = dict(text.split("=", 1) for text in args.build_arg)
    stage, root, base = build(folder, build_args)
    say(
        f"built in {time.monotonic() - start:.0f} s; image {tree_mib(root.tree):.0f} MiB, "
        f"of which base {tree_mib(base):.0f} MiB"
    )
    image = {
        "tree": str(root.tree),
        "user": root.user,
        "workdir": root.workdir,
        "environment": root.image_environment,
        "has_cuda": build_args.get("CUDA") == "enabled",
        "command": dockerfile.command(stage.last("ENTRYPOINT")) + dockerfile.command(stage.last("CMD")),
        "healthcheck": dockerfile.healthcheck(stage.last("HEALTHCHECK"))[1],
        "stop_signal": stage.last("STOPSIGNAL"),
    }
    (folder / "image.json").write_text(json.dumps(image, indent=2) + "\n", encoding="utf-8")
    here = pathlib.Path(__file__).parent
    return subprocess.run([sys.executable, "-B", str(here / "rootfs_serve.py"), str(folder / "image.json")]).returncode


if __name__ == "__main__":
    sys.exit(main())
