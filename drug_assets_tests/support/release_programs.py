"""What `docker` and `gcloud` do in a release, without either: called by the name of the program.

A registry whose tags are never moved, builds of which no two are the same, and jobs that take an
image. All that happened is in the JSON file that RELEASE_STATE names. Any other command is refused,
so that a release cannot go on past one that is not imitated here.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

#: Nothing is built, no tag is in the registry, nothing runs.
NOTHING: dict[str, Any] = {
    "built": {},  # image with its tag => its revision and digest
    "builds": 0,
    "revisions": {},  # digest => revision, of what was pushed
    "tags": {},  # image => tag => digest
    "executors": {},  # digest of a built image => the image of executors that it was told
    "images": {},  # job or service => what it runs
    "executed": [],  # executions that somebody waited for: job, its image, arguments
    "refusing": [],  # commands that fail, by how they begin
}


def docker(state: dict[str, Any], words: list[str]) -> str:
    image = words[-1]
    (of, _, tag), (name, _, digest) = image.rpartition(":"), image.partition("@")
    if words[0] == "build":
        tagged = _option(words, "--tag")
        revision = next(w.partition("=")[2] for w in words if w.startswith("REVISION="))
        state["builds"] += 1
        digest = f"sha256:{state['builds']:064x}"
        state["built"][tagged] = {"revision": revision, "digest": digest}
        executor = [w.partition("=")[2] for w in words if w.startswith("EXECUTOR_IMAGE=")]
        state["executors"][digest] = executor[0] if executor else None
        return ""
    if words[0] == "push":
        tags = state["tags"].setdefault(of, {})
        if tag in tags:
            raise SystemExit(f"{image}: the repository has immutable tags")
        tags[tag] = state["built"][image]["digest"]
        state["revisions"][tags[tag]] = state["built"][image]["revision"]
        return ""
    if words[0] == "pull" and digest:
        if digest not in state["revisions"]:
            raise SystemExit(f"{image}: not found")
        return f"{image}\n"
    if words[0] in {"pull", "run"}:
        return ""
    if words[0] == "inspect" and "revision" in _option(words, "--format"):
        return f"{state['revisions'][digest]}\n"
    if words[0] == "inspect" and image in state["built"]:
        pushed = f"{image.rpartition(':')[0]}@{state['built'][image]['digest']}"
        return f"mirror.example.org/other@sha256:0\n{pushed}\n\n"
    if words[0] == "inspect":
        return f"{name}@sha256:base\n"
    raise SystemExit(f"docker {words}: not known here")


def gcloud(state: dict[str, Any], words: list[str]) -> str:
    if words[:4] == ["artifacts", "docker", "tags", "list"]:
        assert _option(words, "--format") == "value(tag.basename(),version.basename())"
        tags = state["tags"].get(words[4], {})
        return "".join(f"{tag}\t{digest}\n" for tag, digest in tags.items())
    if words[0] == "run" and words[2] == "update":
        state["images"][words[3]] = _option(words, "--image")
        return ""
    if words[:3] == ["run", "jobs", "execute"] and "--wait" in words:
        arguments = _option(words, "--args").split(",")
        state["executed"].append([words[3], state["images"][words[3]], *arguments])
        return ""
    if words[:2] == ["auth", "configure-docker"]:
        return ""
    raise SystemExit(f"gcloud {words}: not known here")


def _option(words: list[str], name: str) -> str:
    given = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    return given[0] if given else words[words.index(name) + 1]


if __name__ == "__main__":
    place = Path(os.environ["RELEASE_STATE"])
    known = json.loads(place.read_text("utf-8"))
    program = Path(sys.argv[0]).name
    command = " ".join([program, *sys.argv[1:]])
    if any(command.startswith(refused) for refused in known["refusing"]):
        raise SystemExit(f"{command}: refused")
    sys.stdout.write({"docker": docker, "gcloud": gcloud}[program](known, sys.argv[1:]))
    place.write_text(json.dumps(known), "utf-8")
