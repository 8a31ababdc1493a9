module "catalog" {
  source = "../.."

  name         = "lakeward_prod"
  location_uri = "s3://lakeward-prod-lake-123456789012-eu-west-1/lake"
}
