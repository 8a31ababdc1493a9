"""moto's server on a free port of loopback; says where in one line of JSON, and ends when its stdin does.

--unchecked-signatures: policies are enforced by the key that signed, whatever the signature. moto 5.2.1 signs the
decoded path, so that with "=" in a key of S3 every right signature is wrong to it.

Conditional writes come one at a time, as S3 has it: moto looks whether the condition holds and then writes, and under
load two writers found in between that it holds for both.
"""

import json
import logging
import sys
from threading import Lock

import moto.moto_server.threaded_moto_server as threaded
from moto.iam.access_control import IAMRequestBase
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

if "--unchecked-signatures" in sys.argv:
    IAMRequestBase.check_signature = lambda request: None
one_at_a_time = Lock()


class Application(threaded.DomainDispatcherApplication):
    def __call__(self, environ, start_response):
        if "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ:
            with one_at_a_time:
                return super().__call__(environ, start_response)
        return super().__call__(environ, start_response)


threaded.DomainDispatcherApplication = Application
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(json.dumps({"endpoint": f"http://{host}:{port}"}), flush=True)
sys.stdin.read()
server.stop()
