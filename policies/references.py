"""Requirements of published frameworks, by the number or title that the publication gives them."""

from __future__ import annotations

from .rule import Reference


def nsa(section: str) -> Reference:
    """Returns a section of the NSA/CISA Kubernetes Hardening Guidance 1.2 (August 2022), by its title."""
    url = "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF"
    return Reference("NSA/CISA Kubernetes Hardening Guidance", "1.2 (2022-08-29)", section, section, url)


def cis_eks(number: str, title: str) -> Reference:
    """Returns a recommendation of the CIS Amazon Elastic Kubernetes Service Benchmark 1.5.0 (2024), by its number."""
    url = "https://www.cisecurity.org/benchmark/amazon_web_services"
    return Reference("CIS Amazon EKS Benchmark", "1.5.0", number, title, url)


def fsbp(control: str, title: str) -> Reference:
    """Returns a control of AWS Foundational Security Best Practices, by its id."""
    url = "https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html"
    return Reference("AWS Foundational Security Best Practices", "1.0.0", control, title, url)


def pod_security(profile: str) -> Reference:
    """Returns Kubernetes' Pod Security Standards."""
    url = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
    return Reference("Kubernetes Pod Security Standards", "latest", profile, profile, url)


def iso(control: str, title: str) -> Reference:
    """Returns a control of ISO/IEC 27001:2022, Annex A."""
    return Reference("ISO/IEC 27001", "2022", control, title, "https://www.iso.org/standard/27001")


def kubernetes_docs(page: str, title: str) -> Reference:
    """Returns a page of Kubernetes' documentation."""
    return Reference(
        "Kubernetes documentation", "1.36", page.rpartition("/")[2], title, f"https://kubernetes.io/docs/{page}/"
    )


def istio(page: str, title: str) -> Reference:
    """Returns a section of Istio's operations guide, by its title."""
    return Reference(
        "Istio documentation", "1.31", page.rpartition("/")[2], title, f"https://istio.io/latest/docs/ops/{page}/"
    )
