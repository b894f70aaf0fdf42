//! OAuth 2.1 and OpenID Connect as state machines
