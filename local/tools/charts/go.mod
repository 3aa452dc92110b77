module understudy/tools/charts

go 1.26.0

require (
	github.com/external-secrets/external-secrets v1.3.2
	istio.io/api v1.31.1
	istio.io/istio v0.0.0-20260827124520-eed52ebb66ad
	sigs.k8s.io/external-dns v0.19.0
)
