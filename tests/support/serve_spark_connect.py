"""Becomes the Spark Connect server of the installed pyspark: the process that was started is the JVM in the end.

argv: JSON of {"conf": {…}, "jars": [...]}
"""

import json
import os
import sys

import pyspark

asked = json.loads(sys.argv[1])
home = os.path.dirname(pyspark.__file__)
arguments = [os.path.join(home, "bin", "spark-submit")]
arguments += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
arguments += ["--master", asked["master"], "--driver-memory", asked["memory"]]
arguments += ["--driver-class-path", ":".join(asked["jars"])]
for key, value in asked["conf"].items():
    arguments += ["--conf", f"{key}={value}"]
environment = dict(os.environ, SPARK_HOME=home, SPARK_LOCAL_IP="127.0.0.1", SPARK_LOCAL_HOSTNAME="localhost", TZ="UTC")
if "token" in asked:
    environment["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = asked["token"]
os.execve(arguments[0], arguments, environment)
