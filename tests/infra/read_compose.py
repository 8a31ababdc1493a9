"""compose.yaml read by the rules of Compose's specification; an error says what does not satisfy them."""
import json
import sys

from compose_spec import PyCompose

with open(json.load(sys.stdin)["compose"], encoding="utf-8") as file:
    compose = PyCompose.from_yaml(file.read())
compose.to_spec()
print(json.dumps(compose.to_dict()))
