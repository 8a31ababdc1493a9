# The real provider, offline: policies are rendered as AWS would get them.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  name               = "lakeward-x"
  region             = "eu-west-1"
  account_id         = "123456789012"
  availability_zones = ["eu-west-1a", "eu-west-1b"]
  bucket_names       = ["lakeward-x-lake"]
  kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "a_private_subnet_a_zone" {
  command = plan

  assert {
    condition     = alltrue([for subnet in aws_subnet.private : !subnet.map_public_ip_on_launch]) && length(aws_subnet.private) == 2
    error_message = "two subnets, and none gives public addresses"
  }

  assert {
    condition     = aws_subnet.private["eu-west-1a"].cidr_block == "10.64.0.0/23" && aws_subnet.private["eu-west-1b"].cidr_block == "10.64.2.0/23"
    error_message = "a zone's place in the list is its address"
  }
}

run "s3_is_reached_for_named_buckets" {
  command = plan

  assert {
    condition     = strcontains(aws_vpc_endpoint.s3.policy, "arn:aws:s3:::lakeward-x-lake/*")
    error_message = "the way to S3 leads to the lake"
  }
}

run "zones_are_named_once" {
  command = plan

  variables {
    availability_zones = ["eu-west-1a", "eu-west-1a"]
  }

  expect_failures = [var.availability_zones]
}

run "a_network_of_a_size_that_aws_takes" {
  command = plan

  variables {
    cidr = "10.0.0.0/8"
  }

  expect_failures = [var.cidr]
}
