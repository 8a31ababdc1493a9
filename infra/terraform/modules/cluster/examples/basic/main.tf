module "cluster" {
  source = "../.."

  name = "lakeward-prod"
}
