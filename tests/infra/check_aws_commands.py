"""Commands of AWS' CLI, held against the service models of botocore, which the CLI is made from."""
import json
import sys

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

GLOBAL = {"output", "query", "region", "profile"}
# Written by hand in the CLI, not made from a model.
FILES = {"ls", "cp", "mv", "rm", "sync"}
session = botocore.session.get_session()


def mistake(service, operation, options):
    if service == "s3":
        return None if operation in FILES else f"s3 has no {operation}"
    try:
        model = session.get_service_model("s3" if service == "s3api" else service)
    except UnknownServiceError:
        return f"there is no service {service}"
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        return f"{service} has no {operation}"
    shape = model.operation_model(names[operation]).input_shape
    members = {} if shape is None else {xform_name(name, "-"): each for name, each in shape.members.items()}
    for option, value in options:
        if option in GLOBAL:
            continue
        if option not in members:
            return f"{service} {operation} has no --{option}"
        keys = [part.split("=")[0] for part in value.split(",") if "=" in part]
        unknown = [key for key in keys if key not in getattr(members[option], "members", {})]
        if unknown:
            return f"{service} {operation} --{option} has no {unknown}"
    # Tokens against doing a thing twice the CLI makes itself.
    made = model.operation_model(names[operation]).idempotent_members
    needed = [] if shape is None else [name for name in shape.required_members if name not in made]
    required = [xform_name(name, "-") for name in needed]
    missing = [name for name in required if name not in dict(options)]
    return f"{service} {operation} needs {missing}" if missing else None


commands = json.load(sys.stdin)
print(json.dumps([mistake(c["service"], c["operation"], c["options"]) for c in commands]))
