module understudy/tools/crds

go 1.26.0

require (
	github.com/external-secrets/external-secrets v1.3.2
	istio.io/api v1.31.1
)
