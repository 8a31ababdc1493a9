# The real provider, offline: policies are rendered as AWS would get them.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

run "is_a_database_and_no_table" {
  command = plan

  variables {
    name         = "lakeward_x"
    location_uri = "s3://lakeward-x-lake/lake"
  }

  assert {
    condition     = aws_glue_catalog_database.this.location_uri == "s3://lakeward-x-lake/lake"
    error_message = "the database says where the lake is"
  }
}

run "refuses_a_name_that_athena_cannot_say" {
  command = plan

  variables {
    name         = "lakeward-x"
    location_uri = "s3://lakeward-x-lake/lake"
  }

  expect_failures = [var.name]
}
