"""OAuth2 Proxy: authenticates users with an OpenID Connect provider."""

from __future__ import annotations

from components.core.backend import Backend, Pod
from config.kinds import OAuth2Proxy as Declared

UID = 65532
"""The user ``nonroot`` of the official image."""
COOKIE = "__Secure-session"


def arguments(proxy: Declared, domain: str) -> list[str]:
    """Returns its flags (https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview)."""
    ports = proxy.ports()
    return [
        "--provider=oidc",
        f"--oidc-issuer-url=https://{proxy.issuer}",
        f"--client-id={proxy.client}",
        *(f"--email-domain={name}" for name in proxy.emails),
        # it only answers authentication requests of proxies
        "--upstream=static://200",
        "--reverse-proxy=true",
        "--set-xauthrequest=true",
        "--skip-provider-button=true",
        "--code-challenge-method=S256",
        f"--cookie-name={COOKIE}",
        f"--cookie-domain=.{domain}",
        f"--whitelist-domain=.{domain}",
        "--cookie-secure=true",
        "--cookie-httponly=true",
        "--cookie-samesite=lax",
        f"--http-address=0.0.0.0:{ports['http']}",
        f"--metrics-address=0.0.0.0:{ports['metrics']}",
    ]


class OAuth2Proxy(Backend):
    """Authenticates requests on behalf of the proxies of protected services."""

    resource_type = "understudy:oauth2proxy:OAuth2Proxy"
    component: Declared

    def pod(self) -> Pod:
        declared = self.component
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/ready", "port": "http"}},
            alive={"httpGet": {"path": "/ping", "port": "http"}},
            args=arguments(declared, self.resolved.environment.domain),
            secret_env={"OAUTH2_PROXY_CLIENT_SECRET": declared.secret, "OAUTH2_PROXY_COOKIE_SECRET": declared.cookie},
            secrets=sorted({declared.secret.secret, declared.cookie.secret}),
        )
