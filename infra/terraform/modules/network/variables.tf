variable "name" {
  description = "Beginning of the names of all that is made."
  type        = string
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of the network."
  type        = string
}

variable "account_id" {
  description = "Account whose principals may use the endpoints, 12 digits."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network, in CIDR notation; a prefix of 16 to 24 bits."
  type        = string
  default     = "10.64.0.0/20"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 24, false)
    error_message = "cidr is a network of 16 to 24 bits, such as 10.64.0.0/20."
  }
}

variable "subnet_bits" {
  description = "Bits that a zone's subnet adds to the network's prefix; 3 make room for eight zones."
  type        = number
  default     = 3

  validation {
    condition     = var.subnet_bits >= 1 && var.subnet_bits <= 4
    error_message = "subnet_bits is 1 to 4: AWS takes no subnet smaller than 28 bits."
  }
}

variable "availability_zones" {
  description = "Zones to have a private subnet in. Their order is their address: append, never reorder."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 1 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones names at least one zone, and none twice."
  }
}

variable "interface_endpoints" {
  description = "Services to reach by an interface endpoint, as the last part of their name; each costs by the hour and zone."
  type        = set(string)
  default     = ["kinesis-streams", "kms", "logs", "sts", "ecr.api", "ecr.dkr", "glue"]
}

variable "bucket_names" {
  description = "Buckets that may be reached through the network's way to S3."
  type        = list(string)

  validation {
    condition     = length(var.bucket_names) > 0
    error_message = "bucket_names names at least one bucket: a statement of a policy needs a resource."
  }
}

variable "kms_key_arn" {
  description = "Key that flow logs are encrypted with."
  type        = string
}

variable "flow_log_days" {
  description = "Days to keep flow logs; one of the numbers that CloudWatch takes."
  type        = number
  default     = 365
}

variable "flow_log_traffic" {
  description = "What to log: `ALL`, `ACCEPT` or `REJECT`."
  type        = string
  default     = "REJECT"

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_log_traffic)
    error_message = "flow_log_traffic is ALL, ACCEPT or REJECT."
  }
}
