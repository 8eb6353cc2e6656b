"""Bundles to swap: two whose codes say which they are, the link that names the current one, and ways to damage one."""
import json
import os
import subprocess

from harness import MAKE_FAKE_BUNDLE, TIMEOUT_S, Server

VARIANTS = ("01", "02")


def make_variants(folder):
    """folder/01 and folder/02: the same model with codes that end in that number."""
    for number in VARIANTS:
        subprocess.run([MAKE_FAKE_BUNDLE, "--variant", number, str(folder / number)], check=True, timeout=TIMEOUT_S)
    return folder


def version_of(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["version"]


def switch(link, target):
    """In one step, as the trainer publishes."""
    temporary = link.with_name(link.name + ".new")
    temporary.symlink_to(target)
    os.replace(temporary, link)


def damage(folder, kind):
    """Returns what the refusal must say."""
    if kind == "canary":
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        manifest["canaries"][0]["code"] = "29-1141." + manifest["canaries"][0]["code"][-2:]
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return manifest["canaries"][0]["title"]
    if kind == "missing":
        (folder / "vocab.txt").unlink()
        return "vocab.txt"
    data = (folder / "categories.safetensors").read_bytes()
    (folder / "categories.safetensors").write_bytes(data[:len(data) // 2] if kind == "cut" else data[:-1] + b"\x01")
    return "categories.safetensors"


DAMAGES = ("canary", "missing", "cut", "flipped")


def serve(link, *sets):
    """With an admin listener."""
    return Server(link, "admin.address=127.0.0.1", "admin.port=0", *sets)


def reload(server):
    with server.admin() as admin:
        return admin.request("POST", "/admin/reload")


def model(server):
    with server.client() as client:
        return client.get("/v1/model").json()["model"]
