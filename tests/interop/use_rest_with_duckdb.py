"""Works with tables by the REST catalog of our server with DuckDB's own Iceberg extension."""

import json
import sys
from pathlib import Path

import duckdb
import duckdb_ext

asked = json.load(sys.stdin)
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
# In this order: iceberg asks for the other two, and would try to download what is not loaded.
for extension in ["avro", "httpfs", "iceberg"]:
    (file,) = [f for f in Path(list(duckdb_ext.__path__)[0]).glob(f"extensions/*/*/{extension}.duckdb_extension")]
    connection.execute(f"load '{file}'")


def ask(sql):
    return connection.execute(sql).fetchall()


ask(f"attach 'lakeward' as lakeward (type iceberg, endpoint '{asked['uri']}', token '{asked['token']}')")
((rows,),) = ask(f"select count(*) from lakeward.{asked['table']} where {asked['where']}")
ask("create schema lakeward.duck")
ask("create table lakeward.duck.pond (id integer, name varchar)")
ask("insert into lakeward.duck.pond values (1, 'a'), (2, 'ü')")
ask("insert into lakeward.duck.pond values (3, 'c')")
print(json.dumps({"rows": rows, "own": ask("select * from lakeward.duck.pond order by id")}))
