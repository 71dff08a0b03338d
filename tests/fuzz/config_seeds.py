"""Writes what config_fuzz begins with, FOLDER/config/* and FOLDER/config.dict: the configurations of
examples/ and the snippets of docs/, made whole, and the words of the JSON Schema."""
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/doorward.schema.json").read_text())
SNIPPET = re.compile(r"^```yaml\n(.*?)^```", re.M | re.S)
# What no key of the schema says: of YAML, paths, templates, hosts, units.
WORDS = ["\n- ", "\n  - ", "\n---\n", ": ", "{", "}", "[", "]", "&a ", "*a", "|\n  ", "off",
         "/**", "/*", "/{id}", "{regex: ", "(?P<id>[0-9]+)", "\\p{L}", "(?i)", "*.example.com", "[::1]:80",
         "http://127.0.0.1:9001", "https://", "unix:/run/a.sock", "10.0.0.0/8", "::/0",
         "{request.header.x-a}", "{route.param.id}", "{?request.query}", "{response.status}", "{{",
         "10ms", "5s", "64KiB", "1MiB/s", "100/min", "-1", "1e9", "18446744073709551615"]


def made_whole(snippet):
    """A configuration around it; None for what is none (a Kubernetes probe, a part of a section)."""
    tree = yaml.safe_load(snippet)
    if isinstance(tree, dict) and isinstance(tree.get("policies"), list):
        snippet = snippet.split("\n", 1)[1]
        tree = tree["policies"]
    if isinstance(tree, list):
        text = "".join(f"    {line}\n" for line in snippet.splitlines())
        return made_whole("routes:\n- match: {path: '/orders/{id}'}\n  respond: {status: 204}\n  policies:\n" + text)
    if not isinstance(tree, dict) or not tree.keys() <= SCHEMA["properties"].keys():
        return None
    named = sorted(set(re.findall(r"\bservice: ([\w-]+)", snippet)))
    if "services" not in tree and named:
        snippet += "services:\n" + "".join(
            f'  {name}: {{endpoints: ["http://127.0.0.1:9001"]}}\n' for name in named)
    if "listeners" not in tree:
        snippet = 'listeners: [{address: ":8080"}]\n' + snippet
    return snippet if "version" in tree else "version: 1\n" + snippet


def seeds():
    for folder in sorted(path for path in (ROOT / "examples").iterdir() if any(path.glob("*.yaml"))):
        yield folder.name, "---\n".join(path.read_text() for path in sorted(folder.glob("*.yaml")))
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for i, snippet in enumerate(SNIPPET.findall(page.read_text())):
            whole = made_whole(snippet)
            if whole:
                yield f"{page.stem}-{i}", whole


def words(schema):
    """Keys and values that the schema names."""
    if isinstance(schema, list):
        for item in schema:
            yield from words(item)
    elif isinstance(schema, dict):
        yield from (f"{key}: " for key in schema.get("properties", {}))
        yield from (value for value in schema.get("enum", []) if isinstance(value, str))
        for value in schema.values():
            yield from words(value)


def main(folder):
    (folder / "config").mkdir(parents=True, exist_ok=True)
    for name, text in seeds():
        (folder / "config" / name).write_text(text)
    quoted = sorted({json.dumps(word).replace("\\n", "\\x0A") for word in [*words(SCHEMA), *WORDS]})
    (folder / "config.dict").write_text("".join(f"{word}\n" for word in quoted))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
