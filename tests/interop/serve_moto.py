"""moto's server on a free port of loopback; says where in one line of JSON, and ends when its stdin does.

--unchecked-signatures: policies are enforced by the key that signed, whatever the signature. moto 5.2.1 signs the
decoded path, so that with "=" in a key of S3 every right signature is wrong to it.
"""

import json
import logging
import sys

from moto.iam.access_control import IAMRequestBase
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

if "--unchecked-signatures" in sys.argv:
    IAMRequestBase.check_signature = lambda request: None
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(json.dumps({"endpoint": f"http://{host}:{port}"}), flush=True)
sys.stdin.read()
server.stop()
