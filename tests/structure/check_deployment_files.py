"""hadolint's findings about the Dockerfile, and compose.yaml as the YAML that Docker reads, held against the schema of
the Compose specification (compose-spec.io) that check-jsonschema brings along."""
import json
import os
import subprocess
import sys
import tempfile

import yaml

PROGRAMS = os.path.dirname(sys.executable)
asked = json.load(sys.stdin)


def mistakes(compose):
    """What the specification does not know, by path in the document."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(compose, file)
        file.flush()
        schema = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "--output-format", "json"]
        ran = subprocess.run([sys.executable, *schema, file.name], capture_output=True)
    try:
        report = json.loads(ran.stdout)
    except json.JSONDecodeError:
        sys.exit(ran.stderr.decode())
    return [f"{each['path']}: {each['message']}" for each in report["errors"]]


hadolint = os.path.join(PROGRAMS, "hadolint")
ran = subprocess.run([hadolint, "--no-fail", "--format", "json", asked["dockerfile"]], capture_output=True, check=True)
with open(asked["compose"], encoding="utf-8") as file:
    compose = yaml.safe_load(file)
misspelt = {**compose, "services": {name: {**each, "prots": []} for name, each in compose["services"].items()}}
print(
    json.dumps(
        {
            "findings": json.loads(ran.stdout),
            "compose": compose,
            "mistakes": mistakes(compose),
            "ofMisspelt": mistakes(misspelt),
        }
    )
)
