"""Resources of an AWS account, one component a file, written with the official SDK's classes."""
