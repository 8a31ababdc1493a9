# The Glue database that the tables are listed in. Never the tables: the provider cannot follow an Iceberg table's
# schema, and removing a parameter of its would lose the pointer to the current metadata. The program makes and
# changes them.

resource "aws_glue_catalog_database" "this" {
  name         = var.name
  description  = "Tables of ${var.location_uri}; made and changed by Lakeward, not by Terraform"
  location_uri = var.location_uri
}
