"""hadolint's findings about the Dockerfile, and compose.yaml as the YAML that Docker reads."""
import json
import os
import subprocess
import sys

import yaml

asked = json.load(sys.stdin)
hadolint = os.path.join(os.path.dirname(sys.executable), "hadolint")
ran = subprocess.run([hadolint, "--no-fail", "--format", "json", asked["dockerfile"]], capture_output=True, check=True)
with open(asked["compose"], encoding="utf-8") as file:
    print(json.dumps({"findings": json.loads(ran.stdout), "compose": yaml.safe_load(file)}))
