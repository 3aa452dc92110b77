"""What an AWS account holds, a component a file; the official SDK's classes in AWS' own words."""
